"""Candidate settings of ``linnet tune``: threads, CPUs, custom kernels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from linnet.cli.console import counted
from linnet.format.evidence import Evidence
from linnet.tuning import TunedSetting
from linnet_bench.arguments import spans
from linnet_bench.machine.processor import CoreGroup

__all__ = ["affinities", "candidates", "describe", "label", "thread_counts"]


def describe(setting: TunedSetting) -> str:
    """Describe the setting in words."""
    where = f" on CPUs {spans(setting.affinity)}" if setting.affinity else ""
    kernels = "custom" if setting.fused else "XNNPACK's"
    return f"{counted(setting.threads, 'thread')}{where}, {kernels} kernels"


def thread_counts(cpus: int) -> tuple[int, ...]:
    """Return powers of two up to the number of CPUs, and that number."""
    powers = itertools.takewhile(lambda count: count < cpus, (2**power for power in itertools.count()))
    return (*powers, cpus)


def affinities(cores: Sequence[CoreGroup], usable: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return the sets of CPUs worth trying: all, and on a machine with several kinds of cores the fastest kind.

    Args:
        cores: kinds of cores, the fastest first.
        usable: CPUs that may be used.
    """
    fastest = tuple(sorted(set(cores[0].cpus) & set(usable))) if len(cores) > 1 else ()
    return ((), fastest) if fastest and len(fastest) < len(usable) else ((),)


def candidates(
    evidence: Evidence, threads: Sequence[int], sets: Sequence[tuple[int, ...]], *, decoder: bool = False
) -> Iterator[TunedSetting]:
    """Yield the settings to try for a file; no more threads than CPUs in a set.

    Args:
        evidence: evidence of the file, for whether it has ``forward_fused``.
        threads: thread counts.
        sets: sets of CPUs, as :func:`affinities` returns them.
        decoder: the file is a decoder, of which ``forward_fused`` runs in every case.
    """
    fused = (True,) if decoder else (False, True) if evidence.has_forward_fused else (False,)
    for affinity, count, choice in itertools.product(sets, threads, fused):
        if not affinity or count <= len(affinity):
            yield TunedSetting(threads=count, affinity=affinity, fused=choice)


def label(path: Path, setting: TunedSetting) -> str:
    """Return file name and setting in words."""
    return f"{path.name}: {describe(setting)}"
