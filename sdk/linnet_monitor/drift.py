"""Drift of the inputs of a model from a reference: fixed-size histograms, their statistics, and a sequential rule.

Sources: PSI: Siddiqi, Credit Risk Scorecards (2006), 10.8; Kolmogorov-Smirnov: Massart, The tight constant in the
Dvoretzky-Kiefer-Wolfowitz inequality (Annals of Probability 18, 1990), which holds for every number of values and for
distributions with atoms, so for histograms too; chi-squared of two histograms: Press et al., Numerical Recipes (3rd
edition, 2007), 14.3, equation 14.3.3, and its tail by 6.2.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from linnet.errors import InvalidArgumentError
from linnet.format.evidence import FeatureSketch

if TYPE_CHECKING:
    from linnet.model import Model
    from linnet.monitoring.watch import Watch

__all__ = [
    "AXES",
    "CHECK_EVERY",
    "EDGES",
    "FALSE_ALARMS",
    "HORIZON",
    "WINDOW",
    "DriftWatch",
    "Sketches",
    "chi_squared",
    "ks_distance",
    "population_stability",
    "watch_drift",
    "watch_reference",
]

AXES = 8
"""Axes onto which embeddings are projected: the mean of the reference's, and the directions in which they vary most."""

WINDOW, CHECK_EVERY = 250, 50
"""The last values of a feature that are compared with the reference, and after how many new ones."""

HORIZON, FALSE_ALARMS = 50_000, 0.01
"""Over so many inputs like those of the reference, the rule tells a drift at most with this probability."""

_CLASSES = 256
_AXIS_EDGES = tuple(number / 20 for number in range(-19, 20))
_FEWEST_EMBEDDINGS = 32  # of fewer, no axis would mean much
_LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128, 192, 256, 512, 1024, 4096)

EDGES: Mapping[str, tuple[float, ...]] = {
    "length": tuple(map(float, _LENGTHS)),
    "unknown": (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75),
    "confidence": tuple(number / 20 for number in range(1, 20)),
    "labels": tuple(map(float, range(_CLASSES))),
    **{f"axis_{axis}": _AXIS_EDGES for axis in range(AXES)},
}
"""Upper edges of the bins of each feature; an edge belongs to the bin below it, and the last bin has none."""


class Sketches:
    """Histograms of the features of many inputs, of fixed size: what a reference is made of."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}
        self._embeddings: list[Any] = []

    def add(self, feature: str, value: float) -> None:
        """Count one value of a feature."""
        edges = EDGES[feature]
        self.counts.setdefault(feature, [0] * (len(edges) + 1))[bisect_left(edges, value)] += 1

    def embedded(self, vector: Any) -> None:
        """Keep the embedding of an input until :meth:`reference`."""
        self._embeddings.append(vector)

    def reference(self) -> dict[str, FeatureSketch]:
        """Return what goes into the evidence of a file; trailing bins of classes that do not exist are left out.

        The axes of embeddings come from every second text and their histograms from the others, so that the bound of
        false alarms holds for axes that were chosen by looking at texts.
        """
        made = {feature: _trimmed(feature, counts) for feature, counts in self.counts.items()}
        if len(self._embeddings) < _FEWEST_EMBEDDINGS:
            return made
        directions = _directions(self._embeddings[::2])
        projected = Sketches()
        for vector in self._embeddings[1::2]:
            for axis, value in enumerate(_projected(vector, directions)):
                projected.add(f"axis_{axis}", value)
        for axis, direction in enumerate(directions.tolist()):
            counts = tuple(projected.counts.get(f"axis_{axis}", ()))
            if counts:
                made[f"axis_{axis}"] = FeatureSketch(edges=_AXIS_EDGES, counts=counts, direction=tuple(direction))
        return made


def _trimmed(feature: str, counts: Sequence[int]) -> FeatureSketch:
    edges = EDGES[feature]
    used = max(place for place, count in enumerate(counts) if count) + 1
    last = min(used, len(edges))
    return FeatureSketch(edges=edges[:last], counts=(*counts[:last], sum(counts[last:])))


def _directions(vectors: Sequence[Any]) -> Any:
    """Return the mean of unit vectors as a unit vector, and their principal components: float64 [axes, size]."""
    import numpy as np

    rows = np.stack([_unit(vector) for vector in vectors])
    mean = rows.mean(axis=0)
    _, _, components = np.linalg.svd(rows - mean, full_matrices=False)
    directions = np.concatenate([mean[None] / (np.linalg.norm(mean) or 1.0), components])[:AXES]
    return np.round(directions, 4)  # as the file has them


def _unit(vector: Any) -> Any:
    import numpy as np

    values = np.asarray(vector, dtype=np.float64).reshape(-1)
    length = float(np.linalg.norm(values))
    return values / length if 0 < length < math.inf else np.zeros_like(values)


def _projected(vector: Any, directions: Any) -> list[float]:
    """Return the product of an embedding's unit vector, float32 [size] or [1, size], with each direction."""
    values: list[float] = (directions @ _unit(vector)).tolist()
    return values


# -- statistics of two histograms --------------------------------------------------------------


def population_stability(reference: Sequence[float], now: Sequence[float]) -> float:
    """Return the population stability index: the sum of (q - p) ln(q / p) over the bins.

    Half a value is added to each bin, so that an empty bin does not make it infinite. By the rule of thumb of Siddiqi,
    below 0.1 nothing changed, above 0.25 much did; it has no false-alarm rate, and grows when there are few values.
    """
    bins = len(reference)
    total, other = sum(reference) + bins / 2, sum(now) + bins / 2
    pairs = [((one + 0.5) / total, (two + 0.5) / other) for one, two in zip(reference, now, strict=True)]
    return sum((q - p) * math.log(q / p) for p, q in pairs)


def ks_distance(reference: Sequence[float], now: Sequence[float]) -> float:
    """Return the Kolmogorov-Smirnov distance at the edges: the largest difference of the cumulative shares."""
    total, other = sum(reference), sum(now)
    if not total or not other:
        return 0.0
    below = above = largest = 0.0
    for one, two in zip(reference, now, strict=True):
        below, above = below + one / total, above + two / other
        largest = max(largest, abs(below - above))
    return largest


def chi_squared(reference: Sequence[float], now: Sequence[float]) -> tuple[float, float]:
    """Return the chi-squared statistic of two histograms with its p-value; bins that are empty in both are left out."""
    total, other = sum(reference), sum(now)
    used = [(one, two) for one, two in zip(reference, now, strict=True) if one or two]
    if not total or not other or len(used) < 2:
        return 0.0, 1.0
    up, down = math.sqrt(other / total), math.sqrt(total / other)
    statistic = sum((up * one - down * two) ** 2 / (one + two) for one, two in used)
    return statistic, _upper_gamma((len(used) - 1) / 2, statistic / 2)


def _upper_gamma(shape: float, x: float) -> float:
    """Return the regularized upper incomplete gamma function Q(shape, x), by its series or its continued fraction."""
    if x <= 0:
        return 1.0
    factor = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for step in range(1, 10_000):
            term *= x / (shape + step)
            total += term
            if term < total * 1e-15:
                break
        return max(0.0, 1 - total * factor)
    return factor * _continued_fraction(shape, x)


def _continued_fraction(shape: float, x: float) -> float:
    """Return the continued fraction of Q(shape, x) by Lentz's method."""
    tiny = 1e-300
    b, c = x + 1 - shape, 1 / tiny
    d = value = 1 / b
    for step in range(1, 10_000):
        a = -step * (step - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        value *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return value


# -- the sequential rule -----------------------------------------------------------------------


class DriftWatch:
    """Comparison of the last inputs of a model with the reference of its file.

    A feature has changed when the Kolmogorov-Smirnov distance of its last 250 values from the reference is above
    :attr:`limits`, checked after every 50 values. By Massart's inequality the reference is further than r from its
    source with a probability of at most 2 exp(-2 n r^2), and each window further than w by 2 exp(-2 250 w^2); the limit
    is r + w, where both, summed over all features and all 1 000 checks of 50 000 inputs, are half of 1 %.

    Attributes:
        limits: limit of the distance by feature.
        changed: features of which the rule told, with the number of the value at which it did.
    """

    def __init__(self, reference: Mapping[str, FeatureSketch]) -> None:
        """Begin without values.

        Raises:
            InvalidArgumentError: the reference has no feature that this version knows.
        """
        self._reference = {name: one for name, one in reference.items() if name in EDGES and any(one.counts)}
        if len({len(one.direction) for one in self._reference.values() if one.direction}) > 1:
            raise InvalidArgumentError("expected directions of one size in the reference, got several; export it again")
        if not self._reference:
            raise InvalidArgumentError("expected a reference of the texts in the file, got none; export the file again")
        self._axes = [name for name, sketch in self._reference.items() if sketch.direction]
        self._directions: Any = None  # an array as soon as an embedding comes, which needs numpy
        self._values = {name: deque[int](maxlen=WINDOW) for name in self._reference}
        self._seen = dict.fromkeys(self._reference, 0)
        count = len(self._reference)
        self.limits = {name: _limit(sum(sketch.counts), count) for name, sketch in self._reference.items()}
        self.changed: dict[str, int] = {}

    def add(self, feature: str, value: float) -> None:
        """Take one value of a feature; one that the reference does not have is left out."""
        sketch = self._reference.get(feature)
        if sketch is None:
            return
        values = self._values[feature]
        values.append(bisect_left(sketch.edges, value))
        self._seen[feature] += 1
        due = len(values) == WINDOW and not self._seen[feature] % CHECK_EVERY and feature not in self.changed
        if due and ks_distance(sketch.counts, self._window(feature)) > self.limits[feature]:
            self.changed[feature] = self._seen[feature]

    def embedded(self, vector: Any) -> None:
        """Take the embedding of an input; one of another size than the reference's is left out."""
        import numpy as np

        if self._directions is None:
            self._directions = np.array([self._reference[name].direction for name in self._axes], dtype=np.float64)
        if self._axes and np.size(vector) == self._directions.shape[1]:
            for name, value in zip(self._axes, _projected(vector, self._directions), strict=True):
                self.add(name, value)

    def reset(self) -> None:
        """Forget what was told; the next check may tell it again."""
        self.changed.clear()

    def statistics(self) -> dict[str, dict[str, float]]:
        """Return psi, ks, chi_squared and p_value of the last values by feature, for those with a full window."""
        found = {}
        for feature, sketch in self._reference.items():
            if len(self._values[feature]) == WINDOW:
                now = self._window(feature)
                statistic, p_value = chi_squared(sketch.counts, now)
                found[feature] = {
                    "psi": population_stability(sketch.counts, now), "ks": ks_distance(sketch.counts, now),
                    "chi_squared": statistic, "p_value": p_value,
                }  # fmt: skip
        return found

    def _window(self, feature: str) -> list[int]:
        counts = [0] * len(self._reference[feature].counts)
        for place in tuple(self._values[feature]):
            counts[place] += 1
        return counts


def _limit(texts: int, features: int) -> float:
    share = FALSE_ALARMS / 2
    checks = HORIZON / CHECK_EVERY
    reference = math.sqrt(math.log(2 * features / share) / (2 * texts))
    window = math.sqrt(math.log(2 * features * checks / share) / (2 * WINDOW))
    return reference + window


def watch_reference(model: Model, watch: Watch) -> DriftWatch | None:
    """Compare what a watched model gets with the reference in its file; None: the file has none that is known here.

    Raises:
        TrailerDamagedError, SchemaTooNewError: the evidence of the file cannot be read.
    """
    reference = model.evidence.drift_reference
    known = {name: one for name, one in reference.items() if name in EDGES and any(one.counts)}
    return watch_drift(watch, known) if known else None


def watch_drift(watch: Watch, reference: Mapping[str, FeatureSketch]) -> DriftWatch:
    """Compare what a watched model gets with a reference; the statistics become gauges of its metrics.

    Raises:
        InvalidArgumentError: see :class:`DriftWatch`.
    """
    drift = DriftWatch(reference)
    watch.features = drift

    def collect(_: Any) -> None:
        for feature, found in drift.statistics().items():
            for statistic, value in found.items():
                watch.metrics.set("drift", value, model=watch.name, feature=feature, statistic=statistic)
        for feature in drift.limits:
            detected = int(feature in drift.changed)
            watch.metrics.set("drift_detected", detected, model=watch.name, feature=feature)

    watch.metrics.add_collector(collect)
    return drift
