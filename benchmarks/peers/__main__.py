"""``python -m benchmarks.peers``: linnet, ONNX Runtime int8, PyTorch eager and executorch.runtime, in one run."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.models import LENGTHS, MINILM, MODELS, ROOT, ModelSpec
from benchmarks.peers.concurrency import Scaling
from benchmarks.peers.engines import ENGINES
from benchmarks.peers.footprint import ColdResult, cold_starts
from benchmarks.peers.report import OURS, Comparison, Report, to_json, to_markdown, worst_cosines
from benchmarks.peers.rounds import RoundsResult, Wanted, engine_files, run_rounds
from linnet.bench.environment import read_environment, read_state
from linnet.runtime import runtime_info

__all__ = ["Plan", "main"]

_LEAST_COSINE = 0.97
"""An engine whose answer is further from PyTorch eager is wrong, and the run fails."""

WRONG_ANSWER, INTERRUPTED = 1, 130
_SCALING_TOKENS = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What one run does.

    Attributes:
        specs: models.
        engines: names, in the order of their turns.
        threads: thread counts.
        lengths: tokens.
        rounds: turns of each engine.
        seconds: of sampling for each length and turn.
        cold_repeats: of each cold start; 0 leaves them out.
        file: linnet's file of the only model; None: made and kept in the cache.
    """

    specs: Sequence[ModelSpec]
    engines: Sequence[str]
    threads: Sequence[int]
    lengths: Sequence[int]
    rounds: int
    seconds: float
    cold_repeats: int
    file: Path | None


class Progressing:
    """A run that can be interrupted: what is finished stays.

    Attributes:
        comparisons, cold, scaling: as in :class:`~benchmarks.peers.report.Report`.
        interrupted: Ctrl-C came.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.comparisons: list[Comparison] = []
        self.cold: dict[str, Mapping[str, ColdResult]] = {}
        self.scaling: dict[str, Scaling] = {}
        self.files: dict[str, str] = {}
        self.interrupted = False

    def run(self) -> None:
        """Do everything of the plan, or what fits before Ctrl-C."""
        try:
            for spec in self._plan.specs:
                self._run_model(spec)
        except KeyboardInterrupt:
            self.interrupted = True

    def _run_model(self, spec: ModelSpec) -> None:
        plan = self._plan
        files = engine_files(spec, plan.engines, plan.file)
        self.files.update({_short(path): _sha256(path) for path in files.values() if path.is_file()})
        for threads in plan.threads:
            wanted = Wanted(
                spec=spec,
                engines=plan.engines,
                files=files,
                threads=threads,
                lengths=plan.lengths,
                rounds=plan.rounds,
                seconds=plan.seconds,
            )
            result: RoundsResult = run_rounds(wanted)
            self.comparisons.append(Comparison(wanted=wanted, result=result))
        if plan.cold_repeats:
            self.cold[spec.name] = cold_starts(spec, files, plan.threads[0], plan.cold_repeats)
        self.scaling[spec.name] = _scaling(files[OURS], plan.seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print Markdown; exit status 1 if an engine's answers are wrong, 130 after Ctrl-C."""
    args = _parser().parse_args(arguments)
    if args.json is not None and args.json.exists() and not args.force:
        print(f"{args.json} exists; give another name, or --force to replace it", file=sys.stderr)
        return 2
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    before = read_state()
    running = Progressing(_plan(args))
    running.run()
    report = Report(
        created=created,
        environment=read_environment(runtime_info()),
        versions=_versions(),
        before=before,
        after=read_state(),
        files=running.files,
        comparisons=running.comparisons,
        cold=running.cold,
        scaling=running.scaling,
        partial=running.interrupted,
    )
    print(to_markdown(report))
    if args.json is not None:
        args.json.write_text(to_json(report), encoding="utf-8")
    if running.interrupted:
        return INTERRUPTED
    return WRONG_ANSWER if _any_wrong(running.comparisons) else 0


def _any_wrong(comparisons: Sequence[Comparison]) -> bool:
    wrong = False
    for comparison in comparisons:
        for engine, value in worst_cosines(comparison.result).items():
            if math.isnan(value) or value < _LEAST_COSINE:
                wrong = True
                name = comparison.wanted.spec.name
                print(f"{name}: {engine} answers wrongly, cosine {value:.4f} with PyTorch eager", file=sys.stderr)
    return wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="MiniLM-L6 only, few lengths, few turns")
    parser.add_argument("--model", action="append", choices=sorted(MODELS), help="only this model (repeatable)")
    parser.add_argument("--engines", help=f"of {', '.join(ENGINES)}; linnet and torch always take part")
    parser.add_argument("--threads", type=_numbers, help="default 1,2; with --quick 1")
    parser.add_argument("--lengths", type=_numbers, help="default 8,16,32,64,128,256,512")
    parser.add_argument("--rounds", type=int, help="turns of each engine, default 5; with --quick 2")
    parser.add_argument("--seconds", type=float, help="for each length and turn, default 0.5; with --quick 0.2")
    parser.add_argument("--cold", type=int, help="fresh processes of each engine, default 5; with --quick 1")
    parser.add_argument("--file", type=Path, help="linnet's file, if only one model is compared")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all samples")
    parser.add_argument("--force", action="store_true", help="replace OUT")
    return parser


def _plan(args: argparse.Namespace) -> Plan:
    quick: bool = args.quick
    models = [MODELS[name] for name in args.model or ([MINILM.name] if quick else MODELS)]
    if args.file is not None and len(models) != 1:
        raise SystemExit("--file needs exactly one model; add --model")
    engines = list(ENGINES)
    if args.engines:
        named = {OURS, "torch", *args.engines.split(",")}
        if named - set(ENGINES):
            raise SystemExit(f"unknown engine {', '.join(sorted(named - set(ENGINES)))}; known: {', '.join(ENGINES)}")
        engines = [engine for engine in ENGINES if engine in named]
    elif quick:
        engines.remove("executorch")
    return Plan(
        specs=models,
        engines=engines,
        threads=args.threads or ((1,) if quick else (1, 2)),
        lengths=args.lengths or ((16, 64, 256) if quick else LENGTHS),
        rounds=args.rounds or (2 if quick else 5),
        seconds=args.seconds or (0.2 if quick else 0.5),
        cold_repeats=(1 if quick else 5) if args.cold is None else args.cold,
        file=args.file,
    )


def _scaling(file: Path, seconds: float) -> Scaling:
    command = [sys.executable, "-m", "benchmarks.peers.concurrency", str(file), str(_SCALING_TOKENS), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"two sessions on two threads failed:\n{done.stderr[-2000:]}")
    return Scaling(**json.loads(done.stdout))


def _versions() -> dict[str, str]:
    names = ("onnxruntime", "torch", "transformers", "executorch", "tokenizers")
    return {"linnet": runtime_info()["version"], **{name: metadata.version(name) for name in names}}


def _short(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in text.split(","))
    if min(numbers) < 1:
        raise ValueError(text)
    return numbers


if __name__ == "__main__":
    sys.exit(main())
