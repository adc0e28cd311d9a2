"""Statistics of latency samples: percentiles, mean, standard deviation.

A percentile here is the *nearest-rank* one: the smallest sample such that at least ``q`` percent of all
samples are not above it. It is definition 1 of Hyndman & Fan, "Sample Quantiles in Statistical Packages",
The American Statistician 50 (1996), and ``numpy.percentile(..., method="inverted_cdf")``. Every reported
figure is therefore a latency that really occurred; nothing is interpolated.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

__all__ = [
    "PERCENTILE_DEFINITION",
    "Summary",
    "enough_for",
    "geometric_mean",
    "median",
    "percentile",
    "summarize",
]

PERCENTILE_DEFINITION = "nearest rank (Hyndman & Fan 1996, definition 1; numpy method inverted_cdf)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """Statistics of one list of samples; all times in nanoseconds.

    Attributes:
        samples: number of samples.
        p50_ns, p90_ns, p99_ns: percentiles, see the module's docstring.
        mean_ns: arithmetic mean.
        min_ns, max_ns: extremes.
        stdev_ns: sample standard deviation (divisor n - 1), 0 for one sample.
    """

    samples: int
    p50_ns: float
    p90_ns: float
    p99_ns: float
    mean_ns: float
    min_ns: float
    max_ns: float
    stdev_ns: float

    def __post_init__(self) -> None:
        times = (self.p50_ns, self.p90_ns, self.p99_ns, self.mean_ns, self.min_ns, self.max_ns)
        if self.samples < 1 or min(times) <= 0 or self.stdev_ns < 0:
            raise ValueError(f"expected at least one sample and times above 0, got {self.samples} and {times}")


def percentile(samples: Sequence[float], q: float) -> float:
    """Return the nearest-rank percentile of ``samples``.

    Args:
        samples: at least one number, in any order.
        q: percent, above 0 and at most 100.

    Raises:
        ValueError: no samples, or ``q`` is out of range.
    """
    if not samples:
        raise ValueError("found no samples, a percentile needs at least one")
    if not 0 < q <= 100:
        raise ValueError(f"percentile {q} is out of range, expected above 0 and at most 100")
    ordered = sorted(samples)
    # q * n is exact for integer q, so 90 % of 10 samples is rank 9 and not, by rounding, 10.
    return ordered[max(1, math.ceil(q * len(ordered) / 100)) - 1]


def median(samples: Sequence[float]) -> float:
    """Return the middle sample, or the mean of the two middle ones (for ratios, not for latencies).

    Raises:
        ValueError: no samples.
    """
    if not samples:
        raise ValueError("found no samples, a median needs at least one")
    ordered = sorted(samples)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def geometric_mean(ratios: Sequence[float]) -> float:
    """Return the geometric mean, the mean for ratios (Fleming & Wallace, CACM 29(3), 1986).

    Raises:
        ValueError: no ratios, or one is not positive.
    """
    if not ratios or min(ratios) <= 0:
        raise ValueError(f"found {list(ratios)}, a geometric mean needs positive numbers, at least one")
    return math.exp(math.fsum(math.log(ratio) for ratio in ratios) / len(ratios))


def enough_for(q: float, samples: int) -> bool:
    """Return whether a percentile below 100 can differ from the maximum: at least 1 sample lies above it."""
    return math.ceil(q * samples / 100) < samples


def summarize(samples: Sequence[float]) -> Summary:
    """Return the statistics of ``samples``, in nanoseconds.

    Raises:
        ValueError: no samples.
    """
    mean = math.fsum(samples) / len(samples) if samples else math.nan
    squares = math.fsum((sample - mean) ** 2 for sample in samples)
    return Summary(
        samples=len(samples),
        p50_ns=percentile(samples, 50),
        p90_ns=percentile(samples, 90),
        p99_ns=percentile(samples, 99),
        mean_ns=mean,
        min_ns=min(samples),
        max_ns=max(samples),
        stdev_ns=math.sqrt(squares / (len(samples) - 1)) if len(samples) > 1 else 0.0,
    )
