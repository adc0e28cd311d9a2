"""Comparison of linnet with ONNX Runtime, OpenVINO, PyTorch and executorch.runtime: ``python -m benchmarks.peers``."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.paths import ROOT
from benchmarks.peers.catalogue import OURS
from benchmarks.peers.concurrency import Scaling
from benchmarks.peers.encode import EncodeResult, measure_encode
from benchmarks.peers.environments import PACKAGES, constrained
from benchmarks.peers.files import engine_files
from benchmarks.peers.footprint import ColdResult, cold_starts, installed_sizes
from benchmarks.peers.markdown import to_markdown
from benchmarks.peers.models import ModelSpec, linnet_file
from benchmarks.peers.plan import TIMED, Plan, parser, plan_of
from benchmarks.peers.readme import to_readme
from benchmarks.peers.report import Comparison, Report, to_json, worst_cosines
from benchmarks.peers.roofline import RooflineResult, measure_roofline
from benchmarks.peers.rounds import RoundsPlan, run_rounds
from benchmarks.peers.texts import mixed_texts, read_lines
from linnet.cli.exit_status import CHECK_FAILED, INTERRUPTED, OK, USAGE
from linnet.runtime import runtime_info
from linnet_bench.machine.environment import read_environment, read_state

__all__ = ["Progressing", "main"]

_LEAST_COSINE = 0.97
"""Minimum cosine with PyTorch eager; below it an engine's answer is wrong, and the run fails."""

_SCALING_TOKENS = 64
_ENCODE_TEXTS = 1000
_ENCODE_THREADS = 2


class Progressing:
    """A run that can be interrupted; finished results are kept.

    Attributes:
        comparisons, cold, installed, scaling, encode, roofline, files: as in
            :class:`~benchmarks.peers.report.Report`.
        interrupted: the user pressed Ctrl-C.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.comparisons: list[Comparison] = []
        self.cold: dict[str, Mapping[str, ColdResult]] = {}
        self.installed: dict[str, int] = {}
        self.scaling: dict[str, Scaling] = {}
        self.encode: dict[str, EncodeResult] = {}
        self.roofline: dict[str, RooflineResult] = {}
        self.files: dict[str, str] = {}
        self.interrupted = False

    def run(self) -> None:
        """Run all parts of the plan, until Ctrl-C."""
        try:
            self._make_files()
            for part in self._plan.parts:
                for spec in self._plan.specs:
                    if part in TIMED:
                        self._run_timed(part, spec)
                    else:
                        {"footprint": self._footprint, "encode": self._encode, "roofline": self._roofline}[part](spec)
        except KeyboardInterrupt:
            self.interrupted = True

    def _make_files(self) -> None:
        """Make all files before anything is timed."""
        for spec in self._plan.specs:
            for part in self._plan.parts:
                self._files(spec, part)

    def _files(self, spec: ModelSpec, part: str, threads: int = 2) -> dict[str, Path]:
        engines = self._plan.engines_of(part if part in TIMED else "latency", threads)
        if part in ("encode", "roofline"):
            wanted = (OURS,) if part == "roofline" else (OURS, "onnxruntime-fused", "onnxruntime-plain")
            engines = [engine for engine in engines if engine in wanted]
        files = engine_files(spec, engines, self._plan.file)
        self.files.update({_short(path): _sha256(path) for path in files.values() if path.is_file()})
        return files

    def _run_timed(self, part: str, spec: ModelSpec) -> None:
        plan = self._plan
        for threads in plan.threads:
            wanted = RoundsPlan(
                part=part,
                spec=spec,
                engines=plan.engines_of(part, threads),
                files=self._files(spec, part, threads),
                threads=threads,
                lengths=plan.lengths_of(part),
                rounds=plan.rounds_of(part),
                seconds=plan.seconds,
                batch=TIMED[part].batch,
            )
            self.comparisons.append(Comparison(wanted=wanted, result=run_rounds(wanted)))

    def _footprint(self, spec: ModelSpec) -> None:
        files = self._files(spec, "footprint")
        _say(f"footprint: {spec.name}")
        self.cold[spec.name] = cold_starts(spec, files, self._plan.threads[0], self._plan.cold_repeats)
        self.installed = self.installed or installed_sizes(files)

    def _encode(self, spec: ModelSpec) -> None:
        if not spec.real_weights:  # one model is enough, and only real weights give comparable answers
            return
        files = self._files(spec, "encode")
        self.scaling[spec.name] = _scaling(files[OURS], self._plan.seconds)
        if len(files) == 1:
            return  # without ONNX Runtime there is nothing to compare with
        texts = read_lines(self._plan.texts) if self._plan.texts else mixed_texts(_ENCODE_TEXTS)
        rounds = self._plan.rounds or (2 if self._plan.quick else 5)
        self.encode[spec.name] = measure_encode(spec, files, texts, threads=_ENCODE_THREADS, rounds=rounds)

    def _roofline(self, spec: ModelSpec) -> None:
        rounds = self._plan.rounds or (2 if self._plan.quick else 3)
        file = self._plan.file or linnet_file(spec)
        self.roofline[spec.name] = measure_roofline(spec, file, rounds=rounds, seconds=self._plan.seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print Markdown; exit status 1 if an engine's answers are wrong, 130 after Ctrl-C."""
    args = parser(__doc__).parse_args(arguments)
    for output in (args.json, args.markdown):
        if output is not None and output.exists() and not args.force:
            print(f"{output} exists; give another name, or --force to replace it", file=sys.stderr)
            return USAGE
    plan = plan_of(args)
    if "encode" in plan.parts:
        try:  # check the texts now, not when the part begins half an hour later
            _ = read_lines(plan.texts) if plan.texts else mixed_texts(_ENCODE_TEXTS)
        except (OSError, ValueError) as error:
            if args.only or plan.texts:
                print(error, file=sys.stderr)
                return USAGE
            print(f"the part encode is left out: {error}", file=sys.stderr)
            plan = plan.without("encode")
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    before, start = read_state(), time.monotonic()
    running = Progressing(plan)
    running.run()
    report = Report(
        created=created,
        seconds=time.monotonic() - start,
        environment=read_environment(runtime_info()),
        versions=_versions(),
        before=before,
        after=read_state(),
        files=running.files,
        comparisons=running.comparisons,
        cold=running.cold,
        installed=running.installed,
        scaling=running.scaling,
        encode=running.encode,
        roofline=running.roofline,
        partial=running.interrupted,
    )
    print(to_markdown(report))
    if args.json is not None:
        args.json.write_text(to_json(report), encoding="utf-8")
    if args.markdown is not None:
        args.markdown.write_text(to_readme(report), encoding="utf-8")
    if running.interrupted:
        return INTERRUPTED
    return CHECK_FAILED if _any_wrong(running.comparisons) else OK


def _any_wrong(comparisons: Sequence[Comparison]) -> bool:
    wrong = False
    for comparison in comparisons:
        for engine, value in worst_cosines(comparison.result).items():
            if math.isnan(value) or value < _LEAST_COSINE:
                wrong = True
                name = comparison.wanted.spec.name
                print(f"{name}: {engine} answers wrongly, cosine {value:.4f} with PyTorch eager", file=sys.stderr)
    return wrong


def _scaling(file: Path, seconds: float) -> Scaling:
    command = [sys.executable, "-m", "benchmarks.peers.concurrency", str(file), str(_SCALING_TOKENS), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"two sessions on two threads failed:\n{done.stderr[-2000:]}")
    return Scaling(**json.loads(done.stdout))


def _versions() -> dict[str, str]:
    names = ("onnxruntime", "torch", "transformers", "executorch", "tokenizers")
    elsewhere = constrained(PACKAGES["nncf"][:2], (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    return {
        "linnet": runtime_info()["version"],
        **{name: metadata.version(name) for name in names},
        **dict(pinned.split("==") for pinned in elsewhere),
    }


def _short(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _say(text: str) -> None:
    print(f"-- {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
