"""Decoders of linnet beside llama.cpp, ONNX Runtime GenAI, OpenVINO GenAI and PyTorch: tokens a second by context.

    python -m benchmarks.peers.decoders smollm2.pte --checkpoint SmolLM2-135M-Instruct --gguf SmolLM2.gguf

Every engine runs in processes of its own, in turns A B C A B C ...; each prompt is real text and another one, the same
for all. What is not installed, or has no file, is named and left out. llama.cpp is compiled here from the source of its
Python package and quantizes the given GGUF file; ONNX Runtime's file is made by its own builder; OpenVINO reads GGUF.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.paths import ROOT
from benchmarks.peers.decode_child import DecodeJob, DecodeSaid
from benchmarks.peers.decode_engines import CONTEXT
from benchmarks.peers.decode_files import DECODERS, Sources, decoder_file
from benchmarks.peers.environments import interpreter
from linnet.cli.console import counted
from linnet.cli.exit_status import OK, USAGE
from linnet.loading import load
from linnet.runtime import runtime_info
from linnet_bench.arguments import numbers
from linnet_bench.machine.environment import Environment, read_environment, read_state
from linnet_bench.machine.state import State, busy_note
from linnet_bench.measure.decoder import prompts
from linnet_bench.measure.engine import rotated, take_turns
from linnet_bench.record.statistics import median, percentile

__all__ = ["Cell", "Report", "cells_of", "main", "tables"]

TOKENS = 32
_BANDWIDTH_BYTES = 256 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """One engine on one number of threads behind prompts of one length, medians over the rounds.

    Attributes:
        engine, threads, context: as in the table.
        first_ms: p50 of the time to the first token.
        token_ms: p50 of each further token.
        round_token_ms: the p50 of each round.
        same: share of the first tokens behind the prompts that are those of PyTorch, up to the first difference; None
            without PyTorch.
    """

    engine: str
    threads: int
    context: int
    first_ms: float
    token_ms: float
    round_token_ms: tuple[float, ...]
    same: float | None = None

    @property
    def prefill(self) -> float:
        """Return tokens of the prompt by the time to the first token, in tokens/s."""
        return self.context * 1e3 / self.first_ms

    @property
    def decode(self) -> float:
        """Return tokens/s behind the prompt."""
        return 1e3 / self.token_ms


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """The result of a run.

    Attributes:
        environment: the machine.
        before: its state before the run.
        rounds: turns of each engine.
        cells: the figures.
        file_bytes, peak_memory: of each engine, the latter the largest of its processes.
        bandwidth: bytes that so many threads read in a second, the median over the rounds.
        missing: engines that were left out, with the reason.
        cpu_time: times are CPU time of the process.
    """

    environment: Environment
    before: State
    rounds: int
    cells: tuple[Cell, ...]
    file_bytes: Mapping[str, int]
    peak_memory: Mapping[str, int]
    bandwidth: Mapping[int, float]
    missing: Mapping[str, str]
    cpu_time: bool = False


def cells_of(
    said: Mapping[tuple[str, int], Sequence[DecodeSaid]], reference: Mapping[str, list[list[int]]]
) -> Iterator[Cell]:
    """Yield the figures of every engine, thread count and context.

    Args:
        said: results of the rounds by engine and thread count.
        reference: tokens of PyTorch behind each prompt, by its length as text; empty without PyTorch.
    """
    for (engine, threads), rounds in said.items():
        for context in rounds[0].token_ns:
            tokens = [percentile(one.token_ns[context], 50) / 1e6 for one in rounds]
            yield Cell(
                engine=engine,
                threads=threads,
                context=int(context),
                first_ms=median([percentile(one.first_ns[context], 50) / 1e6 for one in rounds]),
                token_ms=median(tokens),
                round_token_ms=tuple(tokens),
                same=_same(rounds[0].ids[context], reference.get(context)),
            )


def _same(found: Sequence[Sequence[int]], reference: Sequence[Sequence[int]] | None) -> float | None:
    if reference is None:
        return None
    shares = []
    for ours, theirs in zip(found, reference, strict=True):
        equal = [one == other for one, other in zip(ours, theirs, strict=False)]
        shares.append(len([*itertools.takewhile(bool, equal)]) / max(1, len(theirs)))
    return sum(shares) / len(shares)


def tables(report: Report) -> Iterator[str]:
    """Yield the lines of the report in Markdown."""
    machine = report.environment
    clock = "CPU time of one thread; " if report.cpu_time else ""
    yield (
        f"{machine.cpu or machine.architecture}, {counted(len(machine.affinity), 'CPU')}; {clock}"
        f"{counted(report.rounds, 'round')}, {TOKENS} tokens behind each prompt, medians over the rounds"
    )
    for threads in dict.fromkeys(cell.threads for cell in report.cells):
        own = [cell for cell in report.cells if cell.threads == threads]
        contexts = sorted({cell.context for cell in own})
        yield from ("", f"{counted(threads, 'thread')}, decoding, tokens/s behind a prompt of so many tokens", "")
        yield from _table(own, contexts, lambda cell: f"{cell.decode:.1f}")
        yield from ("", f"{counted(threads, 'thread')}, prefill, tokens/s to the first token", "")
        yield from _table(own, contexts, lambda cell: f"{cell.prefill:.0f}")
        if threads in report.bandwidth:
            yield from ("", f"memory read by {counted(threads, 'thread')}: {report.bandwidth[threads] / 1e9:.1f} GB/s; "
                            f"{_share(report, own)}")  # fmt: skip
    yield from ("", "| engine | file MB | peak MB | tokens like PyTorch |", "|---|---:|---:|---:|")
    for engine in dict.fromkeys(cell.engine for cell in report.cells):
        shares = [cell.same for cell in report.cells if cell.engine == engine and cell.same is not None]
        same = f"{sum(shares) / len(shares):.0%}" if shares else ""
        yield f"| {engine} | {report.file_bytes[engine] / 1e6:.0f} | {report.peak_memory[engine] / 1e6:.0f} | {same} |"
    yield ""
    for engine, reason in report.missing.items():
        yield f"left out: {engine}: {reason.splitlines()[0]}"
    busy = busy_note(report.before, len(machine.affinity))
    if busy:
        yield busy + ("; CPU time leaves out the waiting, not what shared caches and memory cost" * report.cpu_time)


def _table(own: Sequence[Cell], contexts: Sequence[int], write: Callable[[Cell], str]) -> Iterator[str]:
    yield f"| engine | {' | '.join(map(str, contexts))} |"
    yield f"|---{'|---:' * len(contexts)}|"
    for engine in dict.fromkeys(cell.engine for cell in own):
        found = {cell.context: write(cell) for cell in own if cell.engine == engine}
        yield f"| {engine} | {' | '.join(found.get(context, '') for context in contexts)} |"


def _share(report: Report, own: Sequence[Cell]) -> str:
    """Return how much of it linnet's file takes, were it read once for each token."""
    cells = [cell for cell in own if cell.engine == "linnet"]
    if not cells:
        return "linnet did not take part"
    first = min(cells, key=lambda cell: cell.context)
    read = first.decode * report.file_bytes["linnet"]
    return f"linnet reads its file at {read / 1e9:.1f} GB/s behind {first.context} tokens"


class _Run:
    """One comparison, engine by engine."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._prompts = _prompts(args.file, args.contexts, args.prompts + 1)
        self.files: dict[str, Path] = {}
        self.missing: dict[str, str] = {}
        self.said: dict[tuple[str, int], list[DecodeSaid]] = {}
        self.reference: dict[str, list[list[int]]] = {}
        self.bandwidth: dict[int, list[float]] = {}

    def prepare(self) -> None:
        """Make every file, and note what is missing."""
        sources = Sources(linnet=self._args.file, checkpoint=self._args.checkpoint, gguf=self._args.gguf)
        for name in DECODERS:
            if name in self._args.without:
                continue
            try:
                self.files[name] = decoder_file(name, sources)
            except (RuntimeError, OSError) as error:
                self.missing[name] = str(error)

    def measure(self) -> None:
        """Run all rounds; an engine that fails is left out from then on."""
        if "PyTorch fp32" in self.files:
            # its answers are what others are compared with, once; its speed is one of the rounds as well
            said = self._child("PyTorch fp32", max(self._args.threads))
            self.reference = said.ids
        for threads in self._args.threads:
            take_turns(list(self.files), self._args.rounds, lambda name, turn, threads=threads: (  # type: ignore[misc]
                self._turn(name, threads, turn)), order=rotated, survivors=self._survivors)  # fmt: skip

    def _survivors(self, names: Sequence[str], turn: int) -> Sequence[str]:
        return [name for name in names if name not in self.missing]

    def _turn(self, name: str, threads: int, turn: int) -> None:
        _say(f"{counted(threads, 'thread')}, turn {turn + 1} of {self._args.rounds}: {name}")
        if name == "linnet":
            clock = time.thread_time if self._args.cpu_time else time.perf_counter
            self.bandwidth.setdefault(threads, []).append(_bandwidth(threads, clock))
        try:
            said = self._child(name, threads)
        except RuntimeError as error:
            self.missing[name] = str(error)
            return
        self.said.setdefault((name, threads), []).append(said)

    def _child(self, name: str, threads: int) -> DecodeSaid:
        info = DECODERS[name]
        job = DecodeJob(runner=info.runner, file=str(self.files[name]), threads=threads, tokens=TOKENS,
                        prompts=self._prompts, clock="cpu" if self._args.cpu_time else "wall")  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            job_file, result_file = Path(folder, "job.json"), Path(folder, "result.json")
            job_file.write_text(json.dumps(dataclasses.asdict(job)), encoding="utf-8")
            command = [interpreter(info.environment), "-m", "benchmarks.peers.decode_child", str(job_file),
                       str(result_file)]  # fmt: skip
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                last = done.stderr.strip().splitlines()[-1:]
                raise RuntimeError(f"its process ended with {done.returncode}: {' '.join(last)}")
            return DecodeSaid(**json.loads(result_file.read_text(encoding="utf-8")))

    def report(self, before: State) -> Report:
        """Return the report of what was measured."""
        memory = {
            name: max(one.peak_memory for (other, _), rounds in self.said.items() if other == name for one in rounds)
            for name in dict.fromkeys(name for name, _ in self.said)
        }
        return Report(
            environment=read_environment(runtime_info()),
            before=before,
            rounds=self._args.rounds,
            cells=tuple(cells_of(self.said, self.reference)),
            file_bytes={name: _size(self.files[name]) for name in memory},
            peak_memory=memory,
            bandwidth={threads: median(found) for threads, found in self.bandwidth.items()},
            missing=self.missing,
            cpu_time=self._args.cpu_time,
        )


def _prompts(file: Path, contexts: Sequence[int], count: int) -> dict[str, list[list[int]]]:
    with load(file, self_test=False) as model:
        longest = min(model.max_length, CONTEXT) - TOKENS
        fitting = [context for context in contexts if context <= longest]
        if not fitting:
            raise SystemExit(f"expected --contexts of at most {longest} tokens, got {contexts}")
        return {str(context): list(itertools.islice(prompts(model, context), count)) for context in fitting}


def _size(path: Path) -> int:
    weights = (".safetensors", ".data", ".onnx")
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir() if file.suffix in weights)
    return path.stat().st_size


def _bandwidth(threads: int, clock: Callable[[], float]) -> float:
    """Return the bytes that so many threads read in a second, the best of five times.

    One thread is this one, as ``clock`` may count its time only.
    """
    arrays = [np.ones(_BANDWIDTH_BYTES // 8, dtype=np.int64) for _ in range(threads)]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            start = clock()
            waiting = [pool.submit(array.sum) for array in arrays[1:]]
            arrays[0].sum()
            for done in waiting:
                done.result()
            best = max(best, threads * _BANDWIDTH_BYTES / (clock() - start))
    return best


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print Markdown, and write all figures with ``--json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.decoders", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="linnet's file of the task text-generation")
    add("--checkpoint", type=Path, metavar="DIR", help="Hugging Face folder of the original")
    add("--gguf", type=Path, metavar="GGUF", help="the same weights in llama.cpp's format")
    add("--contexts", type=numbers, default=(64, 128, 512, 1024), help="default 64,128,512,1024")
    add("--threads", type=numbers, default=(1, 2), help="default 1,2")
    add("--rounds", type=int, default=3, help="turns of each engine, default 3")
    add("--prompts", type=int, default=3, help="prompts of each length and turn, default 3")
    add("--without", type=lambda text: text.split(","), default=(), help=f"engines to leave out: {','.join(DECODERS)}")
    add("--cpu-time", action="store_true", help="count CPU time instead, on one thread, for a machine that is busy")
    add("--json", type=Path, metavar="OUT", help="write all figures")
    args = parser.parse_args(arguments)
    unknown = [name for name in args.without if name not in DECODERS]
    if unknown or min(args.rounds, args.prompts) < 1:
        print(f"expected --without of {', '.join(DECODERS)}, and --rounds and --prompts of at least 1", file=sys.stderr)
        return USAGE
    if args.cpu_time and max(args.threads) > 1:
        print("expected --threads 1 with --cpu-time: the threads of a process are counted together", file=sys.stderr)
        return USAGE
    before = read_state()
    running = _Run(args)
    running.prepare()
    running.measure()
    report = running.report(before)
    print("\n".join(tables(report)))
    if args.json is not None:
        args.json.write_text(json.dumps(dataclasses.asdict(report), indent=1) + "\n", encoding="utf-8")
    return OK


def _say(text: str) -> None:
    print(f"-- {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
