"""Statistics against calculations by hand and against numpy's definition of the same name."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet_bench.record.statistics import enough_for, geometric_mean, median, percentile, summarize


@pytest.mark.parametrize(
    ("q", "expected"),
    # ranks ceil(0.3 * 5) = 2, ceil(0.4 * 5) = 2, ceil(0.5 * 5) = 3, 5: the example of the nearest-rank method
    [(30, 20), (40, 20), (50, 35), (100, 50), (1, 15)],
)
def test_nearest_rank_of_five_by_hand(q: float, expected: int) -> None:
    assert percentile([35, 20, 15, 50, 40], q) == expected


def test_an_even_number_of_samples_gives_a_sample_and_no_mean() -> None:
    assert percentile([1, 2, 3, 4], 50) == 2
    assert percentile(list(range(1, 11)), 90) == 9
    assert percentile(list(range(1, 101)), 99) == 99
    assert percentile(list(range(1, 51)), 99) == 50


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=300), st.sampled_from([50, 90, 99]))
def test_percentiles_are_numpys_inverted_cdf(samples: list[int], q: int) -> None:
    assert percentile(samples, q) == np.percentile(samples, q, method="inverted_cdf")


@pytest.mark.parametrize("q", [0, -1, 100.5])
def test_a_percentile_out_of_range_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 100"):
        percentile([1, 2], q)


def test_no_samples_are_refused() -> None:
    for function in (median, summarize, geometric_mean, lambda none: percentile(none, 50)):
        with pytest.raises(ValueError, match="found"):
            function([])


def test_median_takes_the_mean_of_the_two_middle_numbers() -> None:
    assert median([3, 1, 2]) == 2
    assert median([4, 1, 2, 10]) == 3


def test_geometric_mean_by_hand() -> None:
    assert geometric_mean([1, 4]) == pytest.approx(2)
    assert geometric_mean([2, 4, 8]) == pytest.approx(4)
    # twice as fast and half as fast is no change
    assert geometric_mean([0.5, 2]) == pytest.approx(1)


def test_geometric_mean_refuses_zero() -> None:
    with pytest.raises(ValueError, match="positive"):
        geometric_mean([1, 0])


def test_summary_by_hand() -> None:
    # squares of deviations from 5: 9 1 1 1 0 0 4 16, sum 32, divided by 7
    summary = summarize([2, 4, 4, 4, 5, 5, 7, 9])
    assert (summary.samples, summary.p50_ns, summary.p90_ns, summary.p99_ns) == (8, 4, 9, 9)
    assert (summary.mean_ns, summary.min_ns, summary.max_ns) == (5, 2, 9)
    assert summary.stdev_ns == pytest.approx(math.sqrt(32 / 7))


def test_one_sample_has_no_deviation() -> None:
    summary = summarize([7])
    assert summary.stdev_ns == 0
    assert summary.p50_ns == summary.p99_ns == summary.mean_ns == 7


def test_a_p99_below_the_maximum_needs_100_samples() -> None:
    assert not enough_for(99, 99)
    assert enough_for(99, 100)
    assert not enough_for(90, 9)
    assert enough_for(90, 10)
