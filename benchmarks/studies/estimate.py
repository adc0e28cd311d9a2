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
from linnet_bench.estimate.decoder import DecoderWork, count_decoder_work, estimate_decode, estimate_prefill
from linnet_bench.estimate.devices import Device, this_device
from linnet_bench.estimate.roofline import Estimate, estimate
from linnet_bench.estimate.work import Work, count_work
from linnet_bench.machine.state import busy_note, read_state
from linnet_bench.measure.engine import Engine, LocalRunner, take_turns
from linnet_bench.measure.protocol import MeasureSettings, Variant
from linnet_bench.record.preset import GENERATION, sampling_for
from linnet_bench.record.profile import DECODE, PREFILL

__all__ = ["Row", "compare", "main"]

ALLOWED = 0.30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One length: seconds, estimated and measured; ``step`` as in :class:`~linnet_bench.estimate.roofline.Estimate`."""

    name: str
    threads: int
    tokens: int
    step: str
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
    measured: dict[tuple[str, int], list[float]] = {}
    with load(path, self_test=False) as model:
        decoder = model.task == GENERATION
        work = (count_decoder_work if decoder else count_work)(model.manifest, model.evidence)
        sampling = sampling_for(model.task, seconds)
    settings = MeasureSettings(lengths=tuple(lengths), sampling=sampling)
    engine = Engine(settings, LocalRunner(), lambda variant, turn, event: None)
    take_turns([Variant(path=str(path), threads=threads)], rounds, engine.run)
    for run in engine.runs():
        for length in run.lengths:
            measured.setdefault((PREFILL if decoder else "", length.tokens), []).append(length.summary.p50_ns / 1e9)
        for result in run.decoding:
            measured.setdefault((DECODE, result.context), []).append(result.token.summary.p50_ns / 1e9)
    return [
        Row(
            name=path.name,
            threads=threads,
            tokens=tokens,
            step=step,
            estimated=_estimated(work, device, step, tokens, threads).seconds,
            measured=min(times),
        )
        for (step, tokens), times in sorted(measured.items())
    ]


def _estimated(work: Work | DecoderWork, device: Device, step: str, tokens: int, threads: int) -> Estimate:
    if isinstance(work, DecoderWork):
        return {PREFILL: estimate_prefill, DECODE: estimate_decode}[step](work, device, tokens, threads)
    return estimate(work, device, tokens, threads)


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
    print(f"{device.title}\n\n| file | threads | step | tokens | estimated ms | measured ms | off |")
    print("|---|---:|---|---:|---:|---:|---:|")
    rows = []
    for path in args.files:
        for threads in args.threads:
            compared = compare(path, device, threads, args.lengths, args.rounds, args.seconds)
            for row in compared:
                figures = f"{row.estimated * 1e3:.2f} | {row.measured * 1e3:.2f} | {row.off:+.0%}"
                print(f"| {row.name} | {row.threads} | {row.step} | {row.tokens} | {figures} |", flush=True)
            rows += compared
    worst = max(abs(row.off) for row in rows)
    print(f"\nfurthest off: {worst:.0%}, allowed {ALLOWED:.0%}" + (f"; {note}" if note else ""))
    return 0 if worst <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
