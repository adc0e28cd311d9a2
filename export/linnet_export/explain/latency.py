"""Latency of a file on this machine, measured with the processes and checks of `linnet bench`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from linnet.errors import InvalidArgumentError
from linnet_bench.measure.benchmark import Benchmark, default_threads
from linnet_bench.measure.progress import Progress
from linnet_bench.record.record import LengthResult, Record, Settings

__all__ = ["LENGTHS", "Latency", "LatencySettings", "measure_latency"]

LENGTHS = (8, 16, 32, 64, 128, 256, 512)
_SECONDS = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatencySettings:
    """How to measure.

    Attributes:
        threads: thread counts, each in a process of its own; empty: 1, and 2 where there are two CPUs.
        lengths: tokens, cut to the file's bound.
        seconds: of each length, and as many for its profile.
    """

    threads: tuple[int, ...] = ()
    lengths: tuple[int, ...] = LENGTHS
    seconds: float = _SECONDS


@dataclasses.dataclass(frozen=True)
class Latency:
    """What was measured.

    Attributes:
        record: of `linnet bench`; None if it was left out.
        missing: why there is no record, as a sentence.
    """

    record: Record | None
    missing: str = ""

    def lengths(self) -> dict[int, Sequence[LengthResult]]:
        """Return the results by thread count."""
        return {} if self.record is None else {run.threads: run.lengths for run in self.record.runs if run.lengths}

    def to_json(self) -> dict[str, Any]:
        """Return the figures as what JSON can hold, without the single samples."""
        runs = {
            str(threads): [{"tokens": each.tokens, **dataclasses.asdict(each.summary)} for each in results]
            for threads, results in self.lengths().items()
        }
        profiles = {
            str(run.threads): [
                {"tokens": each.tokens, "operators": [dataclasses.asdict(row) for row in each.operators]}
                for each in run.profiles
            ]
            for run in (() if self.record is None else self.record.runs)
        }
        environment = None if self.record is None else dataclasses.asdict(self.record.environment)
        return {"missing": self.missing, "threads": runs, "profiles": profiles, "environment": environment}


def measure_latency(path: Path, settings: LatencySettings | None = None, stream: TextIO | None = None) -> Latency:
    """Time and profile `forward` of a file at several lengths; progress goes to ``stream`` (default: stderr).

    Raises:
        InvalidArgumentError: a thread count is below 1.
        KeyboardInterrupt: it was interrupted.
        LinnetError: the file cannot be measured.
    """
    chosen = settings or LatencySettings()
    threads = chosen.threads or default_threads()
    if min(threads) < 1:
        raise InvalidArgumentError(f"expected threads to be at least 1, got {list(threads)}")
    asked = Settings(
        lengths=chosen.lengths, threads=threads, seconds=chosen.seconds, samples=None, cold_repeats=0, profile=True
    )
    progress = Progress(sys.stderr if stream is None else stream)
    benchmark = Benchmark(path, asked, progress.say)
    try:
        failure = benchmark.measure()
    finally:
        progress.end()
    if benchmark.interrupted:
        raise KeyboardInterrupt
    if failure is not None:
        raise failure
    record = benchmark.record()
    if record is not None and record.wrong:
        wrong = next(run.check.message for run in record.runs if run.check.wrong)
        return Latency(None, f"Not shown: the file answers wrongly on this machine ({wrong}).")
    return Latency(record)
