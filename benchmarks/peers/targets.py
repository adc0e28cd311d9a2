"""The project's performance targets, and whether a run met them: pure numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from benchmarks.peers.catalogue import FAMILIES, OURS
from benchmarks.peers.compare import Round, mean_of_rounds, ratios
from linnet.cli.console import counted

__all__ = ["ENCODE", "LATENCY", "ROOFLINE_SHARE", "Target", "latency_targets"]

LATENCY: Mapping[str, tuple[float, float]] = {"onnxruntime": (1.5, 1.1), "openvino": (1.1, 1.0)}
"""By a peer's family: the minimum geometric mean and the minimum of a single point of peer / linnet."""

ENCODE = 1.3
"""Minimum ratio of linnet's texts per second to ONNX Runtime's."""

ROOFLINE_SHARE = 0.7
"""Minimum share of the GEMM peak at 128 tokens on one thread."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """One target.

    Attributes:
        what: description in words.
        found, needed: the figure and its minimum, in ``unit``.
        spread: smallest and largest round, None if there is one figure only.
        unit: unit after the figures, such as "x".
    """

    what: str
    found: float
    needed: float
    spread: tuple[float, float] | None = None
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Return True if the figure is not below its minimum."""
        return self.found >= self.needed

    def line(self) -> str:
        """Return the target as one line."""
        spread = f" ({self.spread[0]:.3f}-{self.spread[1]:.3f})" if self.spread else ""
        verdict = "met" if self.met else "NOT MET"
        return f"{verdict}: {self.what} {self.found:.3f}{self.unit}{spread}, target >= {self.needed:g}{self.unit}"


def latency_targets(model: str, comparisons: Mapping[int, Sequence[Round]], ours: str = OURS) -> list[Target]:
    """Return the targets for mean and worst point against each family of :data:`LATENCY` that took part.

    Args:
        model: its title.
        comparisons: rounds by family, by thread count; every count has the same number of rounds.
        ours: family of linnet.
    """
    judged: list[Target] = []
    for family, (mean, worst) in LATENCY.items():
        if not all(family in rounds[0] for rounds in comparisons.values()):
            continue
        middle = mean_of_rounds(list(comparisons.values()), ours, family)
        points = {
            (threads, length): ratio
            for threads, rounds in comparisons.items()
            for length, ratio in ratios(rounds, ours, family).items()
        }
        (threads, length), least = min(points.items(), key=lambda item: item[1].middle)
        where = f"{length} tokens, {counted(threads, 'thread')}"
        judged.append(
            Target(
                what=f"{model}: geometric mean of {FAMILIES[family]} / linnet over {len(points)} points",
                found=middle.middle,
                needed=mean,
                spread=(middle.low, middle.high),
            )
        )
        judged.append(
            Target(
                what=f"{model}: slowest point against {FAMILIES[family]} ({where})",
                found=least.middle,
                needed=worst,
                spread=(least.low, least.high),
            )
        )
    return judged
