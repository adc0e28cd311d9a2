"""Accuracy of ``linnet estimate`` on this machine: ``python -m benchmarks.studies.estimate FILE.pte ...``

Each file is measured in several fresh processes and estimated with ``--device this``; for each length the smallest p50
of the processes counts, the least disturbed one. The ratio of both is printed, and the exit status is 1
if one is off by more than 30 %.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from linnet.loading import load
from linnet_bench.arguments import numbers
from linnet_bench.estimate.devices import Device, this_device
from linnet_bench.estimate.roofline import estimate
from linnet_bench.estimate.work import count_work
from linnet_bench.machine.state import busy_note, read_state
from linnet_bench.measure.engine import Engine, LocalRunner, take_turns
from linnet_bench.measure.protocol import MeasureSettings, Variant
from linnet_bench.record.sampling import Sampling

__all__ = ["Row", "compare", "main"]

ALLOWED = 0.30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One length: seconds, estimated and measured."""

    name: str
    threads: int
    tokens: int
    estimated: float
    measured: float

    @property
    def off(self) -> float:
        """Return the relative error of the estimate: 0.1 is 10 % too long."""
        return self.estimated / self.measured - 1


def compare(path: Path, device: Device, threads: int, lengths: Sequence[int], rounds: int, seconds: float) -> list[Row]:
    """Measure a file and estimate it.

    Raises:
        LinnetError: it cannot be run or its evidence has no layers.
    """
    measured: dict[int, list[float]] = {}
    settings = MeasureSettings(lengths=tuple(lengths), sampling=Sampling(seconds=seconds))
    engine = Engine(settings, LocalRunner(), lambda variant, turn, event: None)
    take_turns([Variant(path=str(path), threads=threads)], rounds, engine.run)
    for run in engine.runs():
        for length in run.lengths:
            measured.setdefault(length.tokens, []).append(length.summary.p50_ns / 1e9)
    with load(path, self_test=False) as model:
        work = count_work(model.manifest, model.evidence)
    return [
        Row(
            name=path.name,
            threads=threads,
            tokens=tokens,
            estimated=estimate(work, device, tokens, threads).seconds,
            measured=min(times),
        )
        for tokens, times in sorted(measured.items())
    ]


def main() -> int:
    """Measure, estimate and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.estimate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--lengths", type=numbers, default=(32, 64, 128, 256), metavar="N,N,...")
    parser.add_argument("--threads", type=numbers, default=(1,), metavar="N,N,...")
    parser.add_argument("--rounds", type=int, default=5, help="processes, default 5")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each length, default 0.5")
    args = parser.parse_args()
    device = this_device()
    note = busy_note(read_state(), 1)
    print(f"{device.title}\n\n| file | threads | tokens | estimated ms | measured ms | off |")
    print("|---|---:|---:|---:|---:|---:|")
    rows = []
    for path in args.files:
        for threads in args.threads:
            compared = compare(path, device, threads, args.lengths, args.rounds, args.seconds)
            for row in compared:
                figures = f"{row.estimated * 1e3:.2f} | {row.measured * 1e3:.2f} | {row.off:+.0%}"
                print(f"| {row.name} | {row.threads} | {row.tokens} | {figures} |", flush=True)
            rows += compared
    worst = max(abs(row.off) for row in rows)
    print(f"\nfurthest off: {worst:.0%}, allowed {ALLOWED:.0%}" + (f"; {note}" if note else ""))
    return 0 if worst <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
