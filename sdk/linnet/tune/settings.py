"""What can be chosen for a file, and which choices are tried."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.bench.arguments import spans
from linnet.bench.processor import CoreGroup

__all__ = ["Setting", "affinities", "candidates", "label", "thread_counts"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """One choice.

    Attributes:
        threads: of the process.
        affinity: CPUs that it is bound to; empty: all.
        fused: linnet's own attention (True) or XNNPACK's (False).
    """

    threads: int
    affinity: tuple[int, ...] = ()
    fused: bool = False

    def words(self) -> str:
        """Return the choice as people say it."""
        where = f" on CPUs {spans(self.affinity)}" if self.affinity else ""
        return f"{self.threads} thread(s){where}, {'linnet' if self.fused else 'XNNPACK'} attention"


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
    evidence: Mapping[str, Any], threads: Sequence[int], sets: Sequence[tuple[int, ...]]
) -> Iterator[Setting]:
    """Yield the settings to try for a file; no more threads than CPUs in a set.

    Args:
        evidence: of the file: whether it has ``forward_fused``.
        threads: counts.
        sets: of CPUs, as :func:`affinities` gives them.
    """
    fused = (
        (False, True) if evidence.get("proof_fused") or "forward_fused" in (evidence.get("places") or {}) else (False,)
    )
    for affinity, count, choice in itertools.product(sets, threads, fused):
        if not affinity or count <= len(affinity):
            yield Setting(threads=count, affinity=affinity, fused=choice)


def label(path: Path, setting: Setting) -> str:
    """Return file and choice."""
    return f"{path.name}: {setting.words()}"
