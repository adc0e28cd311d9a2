"""Latency ratios of engines, computed from rounds: pure numbers, no processes.

In one round each engine has run once, close in time. The ratio of a round is a peer's median latency over
linnet's: above 1 linnet is faster. The reported figures are the median of the rounds' ratios and their range.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from linnet_bench.record.statistics import geometric_mean, median, percentile

__all__ = [
    "Ratio",
    "Round",
    "best_of",
    "by_family",
    "cosine",
    "fastest_ratios",
    "latency_ms",
    "mean_of_rounds",
    "overall",
    "ratios",
]

Round: TypeAlias = Mapping[str, Mapping[int, Sequence[int]]]
"""Latencies in nanoseconds by engine and length."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ratio:
    """A peer's latency over linnet's: median of the rounds, smallest and largest round."""

    middle: float
    low: float
    high: float


def latency_ms(rounds: Sequence[Round], engine: str, length: int) -> float:
    """Return the median over the rounds of an engine's median latency, in milliseconds."""
    return median([_middle(one, engine, length) for one in rounds]) / 1e6


def ratios(rounds: Sequence[Round], ours: str, peer: str) -> dict[int, Ratio]:
    """Return the ratio peer / ours for each length that both have run in every round."""
    by_length: dict[int, Ratio] = {}
    for length in rounds[0][ours]:
        by_round = [_middle(one, peer, length) / _middle(one, ours, length) for one in rounds]
        by_length[length] = Ratio(middle=median(by_round), low=min(by_round), high=max(by_round))
    return by_length


def fastest_ratios(rounds: Sequence[Round], ours: str, peer: str) -> dict[int, float]:
    """Return for each length the peer's single fastest run of all rounds over that of ours."""

    def fastest(engine: str, length: int) -> int:
        return min(min(one[engine][length]) for one in rounds)

    return {length: fastest(peer, length) / fastest(ours, length) for length in rounds[0][ours]}


def best_of(rounds: Sequence[Round], peers: Sequence[str], name: str) -> list[Round]:
    """Return the rounds with an added engine that, for each length, is the peer that is fastest over all rounds."""
    chosen: dict[int, str] = {
        length: min(peers, key=lambda peer, length=length: latency_ms(rounds, peer, length))  # type: ignore[misc]
        for length in rounds[0][peers[0]]
    }
    return [{**one, name: {length: one[peer][length] for length, peer in chosen.items()}} for one in rounds]


def by_family(rounds: Sequence[Round], families: Mapping[str, Sequence[str]]) -> list[Round]:
    """Return the rounds by family: for each length the member that is fastest over all rounds."""
    grouped: list[Round] = [{} for _ in rounds]
    for family, members in families.items():
        best = best_of(rounds, members, family)
        grouped = [{**one, family: other[family]} for one, other in zip(grouped, best, strict=True)]
    return grouped


def mean_of_rounds(comparisons: Sequence[Sequence[Round]], ours: str, peer: str) -> Ratio:
    """Return the geometric mean of peer over ours over all points of several comparisons (thread counts).

    ``middle`` is that of the points' medians; ``low`` and ``high`` are the smallest and the largest round, the
    mean taken within each round. Every comparison has the same number of rounds.
    """
    points = [ratio.middle for rounds in comparisons for ratio in ratios(rounds, ours, peer).values()]
    by_round = [
        geometric_mean([r.middle for one in turn for r in ratios([one], ours, peer).values()])
        for turn in zip(*comparisons, strict=True)
    ]
    return Ratio(middle=geometric_mean(points), low=min(by_round), high=max(by_round))


def overall(by_length: Mapping[int, Ratio]) -> Ratio:
    """Return the geometric mean over the lengths; its range is that of the lengths' middles."""
    middles = [ratio.middle for ratio in by_length.values()]
    return Ratio(middle=geometric_mean(middles), low=min(middles), high=max(middles))


def cosine(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Return the cosine of two arrays taken as vectors; NaN if one contains NaN or only zeros."""
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _middle(one: Round, engine: str, length: int) -> float:
    return percentile(one[engine][length], 50)
