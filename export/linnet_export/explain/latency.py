"""Latency of a file on this machine, measured with the processes and checks of `linnet bench`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from linnet.errors import InvalidArgumentError
from linnet_bench.measure.benchmark import Benchmark, default_threads
from linnet_bench.measure.decoder import task_of
from linnet_bench.measure.progress import Progress
from linnet_bench.record.preset import GENERATION, sampling_for
from linnet_bench.record.record import LengthResult, Record, Settings

__all__ = ["LENGTHS", "Latency", "LatencySettings", "measure_latency"]

LENGTHS = (8, 16, 32, 64, 128, 256, 512)
DECODER_LENGTHS = (16, 128)
"""Prompts of a decoder."""

_SECONDS = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatencySettings:
    """Settings of the latency measurement.

    Attributes:
        threads: numbers of threads, each measured in its own process; empty: 1, and 2 on a machine with two CPUs.
        lengths: lengths in tokens, up to the maximum length of the file; empty: those that suit its task.
        seconds: duration of the measurement of each length, and again of its profile, in seconds.
    """

    threads: tuple[int, ...] = ()
    lengths: tuple[int, ...] = ()
    seconds: float = _SECONDS


@dataclasses.dataclass(frozen=True)
class Latency:
    """Result of the latency measurement.

    Attributes:
        record: record of `linnet bench`; None if there is none.
        missing: why there is no record, as a sentence.
    """

    record: Record | None
    missing: str = ""

    def lengths(self) -> dict[int, Sequence[LengthResult]]:
        """Return the results of each length, by number of threads."""
        return {} if self.record is None else {run.threads: run.lengths for run in self.record.runs if run.lengths}

    def to_json(self) -> dict[str, Any]:
        """Return the figures as an object that JSON can represent, without the individual samples."""
        runs = {
            str(threads): [{"tokens": result.tokens, **dataclasses.asdict(result.summary)} for result in results]
            for threads, results in self.lengths().items()
        }
        profiles = {
            str(run.threads): [
                {
                    "tokens": profile.tokens,
                    "step": profile.step,
                    "operators": [dataclasses.asdict(row) for row in profile.operators],
                }
                for profile in run.profiles
            ]
            for run in (() if self.record is None else self.record.runs)
        }
        decoding = {
            str(run.threads): [
                {"context": result.context, "first_token": dataclasses.asdict(result.first_token.summary),
                 "token": dataclasses.asdict(result.token.summary)}
                for result in run.decoding
            ]
            for run in (() if self.record is None else self.record.runs)
            if run.decoding
        }  # fmt: skip
        environment = None if self.record is None else dataclasses.asdict(self.record.environment)
        known = {"missing": self.missing, "threads": runs, "profiles": profiles, "environment": environment}
        return {**known, "decoding": decoding} if decoding else known


def measure_latency(path: Path, settings: LatencySettings | None = None, stream: TextIO | None = None) -> Latency:
    """Measure and profile `forward` of a file at several lengths; print progress to ``stream`` (default: stderr).

    Raises:
        InvalidArgumentError: a number of threads is below 1.
        KeyboardInterrupt: the measurement was interrupted.
        LinnetError: the file cannot be measured.
    """
    chosen = settings or LatencySettings()
    threads = chosen.threads or default_threads()
    if min(threads) < 1:
        raise InvalidArgumentError(f"expected threads to be at least 1, got {list(threads)}")
    task = task_of(path)
    sampling = sampling_for(task, chosen.seconds)
    asked = Settings(
        lengths=chosen.lengths or (DECODER_LENGTHS if task == GENERATION else LENGTHS),
        threads=threads,
        seconds=chosen.seconds,
        samples=None,
        cold_repeats=0,
        profile=True,
        least_samples=sampling.least_samples,
        warmup_runs=sampling.warmup_runs,
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
