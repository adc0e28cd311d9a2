"""Verdicts of a soak, calculated by hand."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import pytest

from linnet.errors import InvalidArgumentError
from linnet_bench.machine.environment import State, read_environment
from linnet_bench.soak.record import Record, Window, to_json
from tests.support.records import SOAK_SETTINGS

QUIET = Window(
    requests=200, seconds=1.0, p50_ns=10, p99_ns=100, max_ns=1000, memory=50_000_000, loads=20, wrong=0, failed=0
)


def record(windows: Sequence[Window], **changes: object) -> Record:
    whole = Record(
        created="2026-01-01T00:00:00+00:00", partial=False, error="", settings=SOAK_SETTINGS, file={"name": "a.pte"},
        environment=read_environment({}), before=State(frequency_mhz=(), load_average=(), temperature_c=None),
        after=None, texts=4, golden_before=True, golden_after=True, problems=(), windows=tuple(windows),
    )  # fmt: skip
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]


def windows(memory: Sequence[int] = (), p99: Sequence[int] = ()) -> list[Window]:
    made = [dataclasses.replace(QUIET, memory=used) for used in memory]
    return made or [dataclasses.replace(QUIET, p99_ns=nanoseconds) for nanoseconds in p99]


def test_growth_is_the_most_above_the_end_of_the_warm_up() -> None:
    found = record(windows(memory=(50, 49, 2_000_050, 60)))
    assert found.growth == 2_000_000
    assert found.verdicts["memory"]
    assert not record(windows(memory=(50, 2_000_051, 50))).verdicts["memory"]
    assert record(windows(memory=(9_000_000, 5, 5))).growth == 5 - 9_000_000


def test_drift_compares_the_halves_after_the_warm_up() -> None:
    found = record(windows(p99=(900, 100, 100, 150, 250)))
    assert found.drift == 2.0  # the mean of 150 and 250, over that of 100 and 100
    assert found.verdicts["latency"]
    assert not record(windows(p99=(1, 100, 100, 201, 200))).verdicts["latency"]


@pytest.mark.parametrize(
    ("changes", "broken"),
    [({"wrong": 1}, "answers"), ({"failed": 1}, "requests")],
)
def test_one_bad_request_breaks_its_promise_only(changes: dict[str, int], broken: str) -> None:
    found = record([QUIET, QUIET, dataclasses.replace(QUIET, **changes)]).verdicts
    assert [name for name, held in found.items() if not held] == [broken]


@pytest.mark.parametrize("when", ["golden_before", "golden_after"])
def test_a_golden_case_that_differs_is_a_wrong_answer(when: str) -> None:
    assert not record([QUIET] * 3, **{when: False}).verdicts["answers"]
    assert record([QUIET] * 3, **{when: None}).verdicts["answers"]


def test_a_soak_that_hardly_began_has_no_figures() -> None:
    found = record([QUIET], partial=True)
    assert (found.growth, found.drift) == (None, None)
    assert all(found.verdicts.values())


def test_the_document_has_the_verdicts() -> None:
    data = json.loads(to_json(record([QUIET] * 3)))
    assert (data["kind"], data["schema_version"], data["growth"], data["drift"]) == ("linnet-soak", "1.0", 0, 1.0)
    assert data["verdicts"] == {"answers": True, "requests": True, "memory": True, "latency": True}
    assert len(data["windows"]) == 3


def test_every_impossible_number_is_named_at_once() -> None:
    with pytest.raises(InvalidArgumentError, match=r"clients is 0.*windows is 2.*requests is 5.*most_drift is 0\.5"):
        dataclasses.replace(SOAK_SETTINGS, clients=0, windows=2, requests=5, most_drift=0.5)
