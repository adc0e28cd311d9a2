"""Sharing a list between workers: everything once, in parallel, and nothing lost when something fails."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import linnet
from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet.parallel_map import parallel_map
from tests.support.sdk_fakes import FakeRuntime, hashed_program, make_manifest


@given(workers=st.integers(1, 5), items=st.lists(st.integers(), max_size=30))
def test_every_item_is_done_once(workers: int, items: list[int]) -> None:
    kept: list[int] = []

    def work(_: int, item: int) -> Callable[[], None]:
        return lambda: kept.append(item)

    parallel_map(range(workers), items, work)
    assert sorted(kept) == sorted(items)


def test_workers_work_at_the_same_time_and_one_item_each() -> None:
    together = threading.Barrier(2, timeout=30)
    busy: set[str] = set()

    def work(worker: str, item: int) -> Callable[[], None]:
        assert worker not in busy
        busy.add(worker)
        together.wait()  # passes only if both are here
        busy.discard(worker)
        return lambda: None

    parallel_map(["a", "b"], range(4), work)


def test_one_worker_keeps_the_order() -> None:
    kept: list[int] = []
    parallel_map(["a"], [3, 1, 2], lambda _, item: lambda: kept.append(item))
    assert kept == [3, 1, 2]


@pytest.mark.parametrize("problem", [ValueError("no"), KeyboardInterrupt()])
def test_the_first_exception_stops_everybody(problem: BaseException) -> None:
    done: list[int] = []

    def work(_: str, item: int) -> Callable[[], None]:
        if item == 99:
            raise problem
        return lambda: done.append(item)

    with pytest.raises(type(problem)):
        parallel_map(["a", "b"], [*range(1000), 99], work)
    assert len(done) < 1000
    assert threading.active_count() < 10


def test_a_model_with_several_sessions_answers_as_with_one() -> None:
    contract = make_manifest("feature-extraction")
    runtimes = [FakeRuntime(contract, hashed_program(8)) for _ in range(3)]
    alone = Model(FakeRuntime(contract, hashed_program(8)))
    shared = Model(runtimes[0], more=runtimes[1:])
    texts = ["sun " * (number % 7) + "rain" for number in range(60)]
    np.testing.assert_array_equal(shared.encode(texts), alone.encode(texts))
    assert sum(len(runtime.calls) for runtime in runtimes) == 60
    before = len(runtimes[0].calls)
    shared.encode("sun")  # a single text runs on the first
    assert len(runtimes[0].calls) == before + 1
    shared.close()
    assert all(runtime.closed for runtime in runtimes)


@pytest.mark.parametrize("sessions", [0, -1, True, 1.5, 65, "2"])
def test_impossible_sessions_are_refused(sessions: object) -> None:
    with pytest.raises(InvalidArgumentError, match="sessions is .* expected an int of 1 to 64"):
        linnet.load("missing.pte", sessions=sessions)  # type: ignore[arg-type]


def test_what_was_opened_is_closed_when_the_next_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[FakeRuntime] = []

    def fail_at_third(source: object, threads: int) -> FakeRuntime:
        assert threads == 1  # the default with several sessions
        if len(opened) == 2:
            raise MemoryError
        opened.append(FakeRuntime(make_manifest("feature-extraction"), hashed_program(8)))
        return opened[-1]

    monkeypatch.setattr("linnet.loading.open_runtime", fail_at_third)
    with pytest.raises(MemoryError):
        linnet.load("file.pte", sessions=4)
    assert [runtime.closed for runtime in opened] == [True, True]
