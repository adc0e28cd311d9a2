"""The timed loop with a clock of our own, and what it does to the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from linnet.errors import InvalidArgumentError
from linnet_bench.measure.probe import clip_lengths, timed
from linnet_bench.record.sampling import Sampling


class FakeTime:
    """A clock that moves only when the timed call works."""

    def __init__(self, durations: Callable[[int], int]) -> None:
        self.now = 1_000
        self.calls = 0
        self._durations = durations

    def clock(self) -> int:
        return self.now

    def work(self) -> None:
        self.now += self._durations(self.calls)
        self.calls += 1


def test_samples_are_the_durations_after_the_warm_up() -> None:
    time = FakeTime(lambda call: 100 * (call + 1))
    sampling = Sampling(seconds=None, samples=3, warmup_runs=2, warmup_seconds=0)
    assert timed(time.work, sampling, time.clock) == (2, [300, 400, 500])


def test_warm_up_lasts_until_both_time_and_runs_are_reached() -> None:
    slow, quick = FakeTime(lambda _: 60_000_000), FakeTime(lambda _: 1_000_000)
    sampling = Sampling(seconds=None, samples=1, warmup_runs=3, warmup_seconds=0.1)
    assert timed(slow.work, sampling, slow.clock)[0] == 3  # 0.1 s is over after 2 runs
    assert timed(quick.work, sampling, quick.clock)[0] == 100  # 3 runs are over after 3 ms


def test_sampling_lasts_as_long_as_asked_for() -> None:
    time = FakeTime(lambda _: 10_000_000)
    _, samples = timed(time.work, Sampling(seconds=0.5, least_samples=1, warmup_seconds=0), time.clock)
    assert samples == [10_000_000] * 50


def test_a_slow_model_still_gets_the_least_number_of_samples() -> None:
    time = FakeTime(lambda _: 1_000_000_000)
    assert len(timed(time.work, Sampling(seconds=0.5, least_samples=20, warmup_seconds=0), time.clock)[1]) == 20


def test_a_quick_model_stops_at_the_most() -> None:
    time = FakeTime(lambda _: 1)
    assert len(timed(time.work, Sampling(seconds=1, most_samples=70, warmup_seconds=0), time.clock)[1]) == 70


def test_the_collector_is_off_while_timing_and_back_on_after_an_error() -> None:
    states: list[bool] = []

    def work() -> None:
        states.append(gc.isenabled())
        if len(states) == 5:
            raise RuntimeError("stop")

    assert gc.isenabled()
    with pytest.raises(RuntimeError, match="stop"):
        timed(work, Sampling(seconds=None, samples=9, warmup_runs=2, warmup_seconds=0))
    assert states == [True, True, False, False, False]
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        timed(lambda: None, Sampling(seconds=None, samples=1, warmup_runs=1, warmup_seconds=0))
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("seconds", "samples"), [(None, None), (1.0, 5), (0.0, None), (-1.0, None), (float("nan"), None), (None, 0)]
)
def test_an_impossible_sampling_is_refused(seconds: float | None, samples: int | None) -> None:
    with pytest.raises(InvalidArgumentError):
        Sampling(seconds=seconds, samples=samples)


def test_lengths_are_clipped_to_the_files_bound_and_kept_once() -> None:
    assert clip_lengths((8, 16, 32, 64, 128), 24) == (8, 16, 24)
    assert clip_lengths((64, 8, 8), 128) == (8, 64)
