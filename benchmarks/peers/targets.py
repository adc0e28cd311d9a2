"""The project's performance targets, and whether a run met them: pure numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.peers.catalogue import FAMILIES, OURS
from benchmarks.peers.compare import Round, mean_of_rounds, ratios
from linnet.cli.console import counted

__all__ = ["ENCODE", "LATENCY", "ROOFLINE_SHARE", "Least", "Target", "latency_targets"]


class Least(NamedTuple):
    """Minima of peer / linnet: of the geometric mean over all points, and of each point; None: no target."""

    mean: float | None = None
    point: float | None = None


_BYTE_PRODUCTS = {"onnxruntime": Least(mean=1.5, point=1.1), "openvino": Least(mean=1.1, point=1.0)}

LATENCY: Mapping[str, Mapping[str, Least]] = {
    "avx512_vnni": _BYTE_PRODUCTS,
    "avx_vnni": _BYTE_PRODUCTS,
    "avx2": {
        "onnxruntime": Least(mean=1.35, point=1.05),
        "openvino": Least(point=1.2),
        "torch": Least(mean=2.0),
    },
}
"""By linnet's kernels for the processor, which stand for its class, and by a peer's family."""

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


def latency_targets(
    model: str, kernels: str, comparisons: Mapping[int, Sequence[Round]], ours: str = OURS
) -> list[Target]:
    """Return the targets for mean and worst point against each family of :data:`LATENCY` that took part.

    Args:
        model: its title.
        kernels: linnet's kernels for the processor; there are no targets for kernels without an entry.
        comparisons: rounds by family, by thread count; every count has the same number of rounds.
        ours: family of linnet.
    """
    judged: list[Target] = []
    for family, least in LATENCY.get(kernels, {}).items():
        if not all(family in rounds[0] for rounds in comparisons.values()):
            continue
        middle = mean_of_rounds(list(comparisons.values()), ours, family)
        points = {
            (threads, length): ratio
            for threads, rounds in comparisons.items()
            for length, ratio in ratios(rounds, ours, family).items()
        }
        (threads, length), slowest = min(points.items(), key=lambda item: item[1].middle)
        where = f"{length} tokens, {counted(threads, 'thread')}"
        figures = (
            (f"geometric mean of {FAMILIES[family]} / linnet over {len(points)} points", middle, least.mean),
            (f"slowest point against {FAMILIES[family]} ({where})", slowest, least.point),
        )
        judged += [
            Target(what=f"{model}: {what}", found=ratio.middle, needed=needed, spread=(ratio.low, ratio.high))
            for what, ratio, needed in figures
            if needed is not None
        ]
    return judged
