"""The soaking itself: sessions that are replaced in use, requests, and what is found out."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from linnet.errors import RunFailedError
from linnet.model import Model
from linnet_bench.measure.protocol import Event
from linnet_bench.soak import worker
from linnet_bench.soak.job import SoakJob
from linnet_bench.soak.requests import fingerprint, make_requests
from linnet_bench.soak.slots import Slot
from linnet_bench.soak.worker import resident_memory, soak
from tests.support.records import SOAK_SETTINGS
from tests.support.sdk_fakes import FakeRuntime, fake_model, hashed_program, make_manifest

TASKS = ("text-classification", "token-classification", "question-answering", "fill-mask", "feature-extraction",
         "text-ranking")  # fmt: skip


# -- sessions ------------------------------------------------------------------------------------------


class Opened(Model):
    """Stands for a model; knows whether it is closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        assert not self.closed
        self.closed = True


def open_ones(models: list[Opened]) -> list[int]:
    return [number for number, model in enumerate(models) if not model.closed]


def slot_of(models: list[Opened]) -> Slot:
    def open_model() -> Model:
        models.append(Opened())
        return models[-1]

    return Slot(open_model)


def test_a_replaced_session_stays_open_for_who_uses_it() -> None:
    models: list[Opened] = []
    slot = slot_of(models)
    with slot.use() as first:
        slot.reload()
        with slot.use() as second:
            assert first is models[0]
            assert second is models[1]
            assert open_ones(models) == [0, 1]
    assert open_ones(models) == [1]
    slot.close()
    assert open_ones(models) == []


def test_a_reload_that_fails_keeps_the_session() -> None:
    models: list[Opened] = []
    slot = slot_of(models)

    def refuse() -> Model:
        raise RunFailedError("no")

    slot._open = refuse
    with pytest.raises(RunFailedError):
        slot.reload()
    with slot.use() as model:
        assert model is models[0]
        assert not models[0].closed


def test_sessions_under_load_are_each_closed_once() -> None:
    models: list[Opened] = []
    slot = slot_of(models)

    def use() -> None:
        for number in range(500):
            with slot.use() as model:
                assert isinstance(model, Opened)
                assert not model.closed
            if number % 7 == 0:
                slot.reload()

    clients = [threading.Thread(target=use) for _ in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(open_ones(models)) == 1


# -- requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_requests_fit_and_have_the_lengths_asked_for(task: str) -> None:
    size = {"question-answering": 2}.get(task, 3)
    model = fake_model(task, hashed_program(size, per_token=task in ("token-classification", "fill-mask")))
    bound = model.manifest.max_length
    requests = make_requests(model, (16, bound + 100))
    assert len(requests) == 8
    lengths = [len(model.tokenize(request.text, request.pair)) for request in requests]
    assert max(lengths[:4]) <= 16 < min(lengths[4:])
    assert max(lengths[4:]) <= bound
    assert len({(request.text, request.pair) for request in requests}) == 8


def test_a_fingerprint_changes_with_a_bit_and_with_the_shape() -> None:
    answer = np.arange(6, dtype=np.float32)
    other = answer.copy()
    other.view(np.uint8)[5] ^= 1
    assert len({fingerprint(array) for array in (answer, answer.copy(), other, answer.reshape(2, 3))}) == 3
    scores = [{"label": "a", "score": 0.25}]
    assert fingerprint(scores) == fingerprint([dict(scores[0])])
    assert fingerprint(scores) != fingerprint([{"label": "a", "score": np.nextafter(0.25, 1)}])


# -- the windows ---------------------------------------------------------------------------------------


class Runtimes:
    """Opens fake runtimes; the answers of those opened after the first ``sound`` ones are another program's."""

    def __init__(self, sound: int, error: Exception | None = None) -> None:
        self.opened: list[FakeRuntime] = []
        self._sound = sound
        self._error = error

    def load(self, path: str, threads: int, self_test: bool) -> Model:
        good = hashed_program(3)

        def bad(ids: np.ndarray, types: np.ndarray) -> list[np.ndarray]:
            if self._error is not None:
                raise self._error
            return [output * np.float32(1.01) for output in good(ids, types)]

        program = good if len(self.opened) < self._sound else bad
        self.opened.append(FakeRuntime(make_manifest("text-classification"), program))
        return Model(self.opened[-1])


def run(monkeypatch: pytest.MonkeyPatch, runtimes: Runtimes) -> list[Event]:
    monkeypatch.setattr(worker, "load", runtimes.load)
    events: list[Event] = []
    try:
        soak(SoakJob(path="a.pte", settings=SOAK_SETTINGS), events.append)
    finally:
        assert all(runtime.closed for runtime in runtimes.opened)
    return events


def results(events: list[Event]) -> Iterator[dict[str, int]]:
    return (event["result"] for event in events if event["event"] == "window")


def test_every_request_is_sent_once_and_sessions_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    runtimes = Runtimes(sound=10_000)
    events = run(monkeypatch, runtimes)
    found = list(results(events))
    assert [window["requests"] for window in found] == [200] * 5
    assert [window["loads"] for window in found] == [100, 20, 20, 20, 20]
    assert len(runtimes.opened) == 1 + 180
    assert sum(window["wrong"] + window["failed"] for window in found) == 0
    assert all(0 < window["p50_ns"] <= window["p99_ns"] <= window["max_ns"] for window in found)
    assert events[-1]["event"] == "finished"


def test_a_session_that_answers_otherwise_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    events = run(monkeypatch, Runtimes(sound=131))
    wrong = [window["wrong"] for window in results(events)]
    assert wrong[:2] == [0, 0]
    assert wrong[3:] == [200, 200]
    (first, *_) = [sentence for event in events if event["event"] == "window" for sentence in event["problems"]]
    assert "another answer than the first to" in first


def test_requests_that_fail_are_counted_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    runtimes = Runtimes(sound=131, error=RunFailedError("the program failed"))
    monkeypatch.setattr(worker, "_golden", lambda model: None)
    events = run(monkeypatch, runtimes)
    assert [window["failed"] for window in results(events)][3:] == [201, 201]  # and the one before memory is read
    sentences = [sentence for event in events if event["event"] == "window" for sentence in event["problems"]]
    assert "failed: RunFailedError: the program failed" in sentences[0]


def test_a_defect_in_a_client_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        run(monkeypatch, Runtimes(sound=30, error=ZeroDivisionError()))


# -- memory --------------------------------------------------------------------------------------------


def test_memory_is_what_no_file_backs() -> None:
    assert resident_memory("VmRSS:\t  9000 kB\nRssAnon:\t    5120 kB\nRssFile:\t 3880 kB\n") == 5120 * 1024
    assert resident_memory("") > 1_000_000  # a system that does not tell: the peak


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_ten_megabytes_that_stay_are_seen() -> None:
    # in a process of its own: whatever else this one holds may be given back or grow meanwhile
    program = (
        "from linnet_bench.soak.worker import resident_memory\n"
        "before = resident_memory()\n"
        "kept = bytearray(b'1' * 10_000_000)\n"
        "print(resident_memory() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 9_000_000 < int(done.stdout) < 12_000_000
