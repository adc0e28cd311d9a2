"""Permutation test for the difference of two sets of repeats, over all points at once.

If nothing changed, the labels old and new of the processes are exchangeable. So all ways of assigning them are
tried (or 10 000 of them, if there are more), and the p-value is the share of ways in which *some* point looks at least
as much slower as the given point does. Taking the largest statistic over all points of each way is the max-T
method of Westfall & Young, "Resampling-Based Multiple Testing" (1993), section 2.6: it keeps the chance of a single
false alarm anywhere below the limit however many lengths are compared, and follows their correlation. Each point's
statistic is Welch's t of the logarithms, with a small constant in its denominator, as in Tusher, Tibshirani & Chu (PNAS
98, 2001), so that a point which happens to be very steady does not raise an alarm over a tiny difference.

A repeat is one process. Samples within a process are not independent: they share its memory layout and the state of
the machine, and a test that counted each of them would call every difference significant (Kalibera & Jones, "Rigorous
Benchmarking in Reasonable Time", ISMM 2013).
"""

from __future__ import annotations

import itertools
import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["LEAST_REPEATS", "Values", "p_slower"]

Values: TypeAlias = npt.NDArray[np.float64]

LEAST_REPEATS = 4
"""Minimum repeats of each side; with fewer no p-value is small enough: 1 / C(8, 4) = 0.014, 1 / C(6, 3) = 0.05."""

_MOST_WAYS = 10_000
_STEADY = 0.005  # the constant in the denominator: half a percent
_SEED = 20_131_128


def p_slower(old: Values, new: Values) -> Values:
    """Return each point's p-value: the probability that some point looks as much slower if nothing changed.

    Args:
        old: times, [repeats, points], positive.
        new: times of the same points, [repeats, points]; the number of repeats may differ.

    Returns:
        [points], each above 0 and at most 1.

    Raises:
        ValueError: a side has fewer than two repeats.
    """
    if min(len(old), len(new)) < 2:
        raise ValueError(f"found {len(old)} and {len(new)} repeats, expected at least 2 of each")
    values = np.log(np.concatenate([old, new]))
    values -= values.mean(axis=0)  # centred, so that the sums of squares keep their precision
    observed = _statistics(values, np.arange(len(old))[None, :])[0]
    ways = _ways(len(values), len(old))
    largest = _statistics(values, ways).max(axis=1)
    # the observed way is one of all ways, and is counted in addition to drawn ones; 1e-9 absorbs rounding errors
    as_large = (largest[:, None] >= observed[None, :] - 1e-9).sum(axis=0)
    drawn = math.comb(len(values), len(old)) > _MOST_WAYS
    p_values: Values = (as_large + drawn) / (len(largest) + drawn)
    return p_values


def _statistics(values: Values, ways: npt.NDArray[np.int64]) -> Values:
    """Return Welch's t, [ways, points], positive where the others are slower than the rows of the way."""
    is_old = np.zeros((len(ways), len(values)))
    np.put_along_axis(is_old, ways, 1.0, axis=1)
    one, one_error = _mean_and_error(values, is_old)
    other, other_error = _mean_and_error(values, 1.0 - is_old)
    statistics: Values = (other - one) / (np.sqrt(one_error + other_error) + _STEADY)
    return statistics


def _mean_and_error(values: Values, chosen: Values) -> tuple[Values, Values]:
    """Return mean and squared standard error of the chosen rows, [ways, points] each."""
    count = chosen.sum(axis=1, keepdims=True)
    mean = chosen @ values / count
    variance = np.maximum(chosen @ values**2 - count * mean**2, 0.0) / (count - 1)
    return mean, variance / count


def _ways(total: int, chosen: int) -> npt.NDArray[np.int64]:
    """Return every way to choose rows, or 10 000 random ones: [ways, chosen]."""
    if math.comb(total, chosen) <= _MOST_WAYS:
        return np.array(list(itertools.combinations(range(total), chosen)))
    random = np.random.default_rng(_SEED)
    return random.permuted(np.tile(np.arange(total), (_MOST_WAYS, 1)), axis=1)[:, :chosen]
