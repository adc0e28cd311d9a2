"""The worker process of a soak: ``python -m linnet_bench.soak.worker``, started by the command.

It reads one :class:`~linnet_bench.soak.job.SoakJob` as JSON from stdin and writes events to stdout, one JSON object a
line:

==========  ====================================================================================
event       fields
==========  ====================================================================================
opened      ``facts`` (of the file), ``runtime`` (``runtime_info()``), ``texts``, ``golden``
sent        ``requests`` so far, about once a second
window      ``result``: :class:`~linnet_bench.soak.record.Window`, ``problems`` (new ones)
finished    ``golden``, ``after`` (state of the machine)
failed      ``name``, ``message``: the error that ended it
==========  ====================================================================================
"""

from __future__ import annotations

import dataclasses
import gc
import itertools
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from linnet.errors import LinnetError
from linnet.loading import load
from linnet.model import Model
from linnet.runtime import runtime_info
from linnet_bench.machine.environment import peak_memory, read_state
from linnet_bench.measure.probe import check_golden
from linnet_bench.measure.protocol import Emit, serve_job
from linnet_bench.measure.sample import Example
from linnet_bench.measure.worker import facts
from linnet_bench.soak.generating import GeneratingRequest, make_generating_requests
from linnet_bench.soak.job import Settings, SoakJob
from linnet_bench.soak.record import Window
from linnet_bench.soak.requests import fingerprint, make_requests, random_order
from linnet_bench.soak.slots import Slot

__all__ = ["main", "resident_memory", "soak"]

_PROGRESS_SECONDS = 1.0
# loads during the warm-up, if sessions are reloaded: the heaps of several threads reach their size after some dozens
_WARM_LOADS = 100
_MOST_PROBLEMS = 5  # sentences of one window; the counts include all


def soak(job: SoakJob, emit: Emit) -> None:
    """Run the job in this process.

    Raises:
        LinnetError: the file cannot be opened or run.
    """
    settings = job.settings
    soaker = Soaker(job.path, settings)
    try:
        with soaker.slots[0].use() as model:
            manifest, golden = facts(model), _golden(model)
        emit(
            {"event": "opened", "facts": manifest, "runtime": runtime_info(), "texts": len(soaker.requests),
             "golden": golden}
        )  # fmt: skip
        for start, stop in _bounds(settings):
            result = soaker.window(start, stop, emit)
            emit({"event": "window", "result": dataclasses.asdict(result), "problems": soaker.take_problems()})
        with soaker.slots[0].use() as model:
            emit({"event": "finished", "golden": _golden(model), "after": dataclasses.asdict(read_state())})
    finally:
        soaker.close()


def _golden(model: Model) -> bool | None:
    check = check_golden(model)
    return check.before if check.cases else None


def _requests(model: Model, lengths: Sequence[int]) -> Sequence[Example | GeneratingRequest]:
    if model.manifest.cache_layers:
        return make_generating_requests(model, lengths)
    return make_requests(model, lengths)


def _bounds(settings: Settings) -> Iterator[tuple[int, int]]:
    """Yield the first request of each window and the one after its last."""
    edges = [settings.requests * window // settings.windows for window in range(settings.windows + 1)]
    return itertools.pairwise(edges)


class _Numbers:
    """Distributes the numbers of a window's requests, each once; used by several threads."""

    def __init__(self, start: int, stop: int) -> None:
        self.start = self.sent = start
        self._stop = stop
        self._lock = threading.Lock()

    def take(self) -> int | None:
        """Return the next number, None if there are no more."""
        with self._lock:
            if self.sent >= self._stop:
                return None
            self.sent += 1
            return self.sent - 1

    def stop(self) -> None:
        """Distribute no more numbers."""
        with self._lock:
            self._stop = self.sent


class Soaker:
    """Sends requests from several threads and compares every answer with the first to the same text.

    Everything whose size depends on the number of requests is allocated here once, so that it is not counted as growth.

    Attributes:
        slots: the sessions.
        requests: the different calls.
    """

    def __init__(self, path: str, settings: Settings) -> None:
        """Open the sessions and store the first answers.

        Raises:
            LinnetError: the file cannot be opened or run.
        """
        self._settings = settings
        self.slots = [
            Slot(lambda: load(path, threads=settings.threads, self_test=False)) for _ in range(settings.sessions)
        ]
        with self.slots[0].use() as model:
            self.requests = _requests(model, settings.lengths)
            self._expected = [fingerprint(request.run(model)) for request in self.requests]
        self._order = random_order(len(self.requests)).tolist()
        # ones, so that all its pages are resident from the start; rounded up, because windows differ by one request
        self._latencies = np.ones(-(-settings.requests // settings.windows), dtype=np.int64)
        self._lock = threading.Lock()  # all clients change the counts and problems
        self._problems: list[str] = []
        self._wrong = self._failed = self._loads = 0
        self._defects: list[BaseException] = []

    def window(self, start: int, stop: int, emit: Emit) -> Window:
        """Send the requests ``start`` to ``stop - 1`` and return their results after every thread has ended."""
        self._wrong = self._failed = self._loads = 0
        numbers = _Numbers(start, stop)
        clients = [
            threading.Thread(target=self._send, args=(self.slots[client % len(self.slots)], numbers))
            for client in range(self._settings.clients)
        ]
        began = time.perf_counter()
        for client in clients:
            client.start()
        try:
            self._wait(clients, numbers, emit)
        finally:
            numbers.stop()  # after an interruption the clients finish only their current request
            for client in clients:
                client.join()
        if self._defects:
            raise self._defects[0]
        return self._result(stop - start, time.perf_counter() - began)

    def take_problems(self) -> list[str]:
        """Return the sentences about wrong answers and failed requests since the last call, and forget them."""
        problems, self._problems = self._problems, []
        return problems

    def close(self) -> None:
        """Close every session."""
        for slot in self.slots:
            slot.close()

    def _wait(self, clients: list[threading.Thread], numbers: _Numbers, emit: Emit) -> None:
        for client in clients:
            while client.is_alive():
                client.join(_PROGRESS_SECONDS)
                emit({"event": "sent", "requests": numbers.sent})

    def _send(self, slot: Slot, numbers: _Numbers) -> None:
        try:
            while (number := numbers.take()) is not None:
                self._request(slot, number, number - numbers.start)
        except BaseException as defect:  # noqa: BLE001  raised again by the main thread
            self._defects.append(defect)
            numbers.stop()

    def _request(self, slot: Slot, number: int, place: int) -> None:
        which = self._order[number % len(self._order)]
        try:
            if self._is_reload(number):
                self._reload(slot)
            began = time.perf_counter_ns()
            with slot.use() as model:
                answer = self.requests[which].run(model)
            self._latencies[place] = time.perf_counter_ns() - began
        except LinnetError as error:
            self._note_failure(number, error)
            return
        if fingerprint(answer) != self._expected[which]:
            self._note_wrong(number, which)

    def _is_reload(self, number: int) -> bool:
        every = self._settings.reload_every
        warm_up = self._settings.requests // self._settings.windows
        if every and number < warm_up:
            every = min(every, max(1, warm_up // _WARM_LOADS))
        return every > 0 and number % every == every - 1

    def _settle(self, slot: Slot) -> None:
        """Run a request on a session that was just replaced, so that its method is loaded when the window ends."""
        try:
            with slot.use() as model:
                self.requests[-1].run(model)
        except LinnetError as error:
            self._note_failure(-1, error)

    def _reload(self, slot: Slot) -> None:
        slot.reload()
        with self._lock:
            self._loads += 1

    def _note_failure(self, number: int, error: LinnetError) -> None:
        with self._lock:
            self._failed += 1
            if len(self._problems) < _MOST_PROBLEMS:
                name = "the last request" if number < 0 else f"request {number}"
                self._problems.append(f"{name} failed: {type(error).__name__}: {error}")

    def _note_wrong(self, number: int, which: int) -> None:
        with self._lock:
            self._wrong += 1
            if len(self._problems) < _MOST_PROBLEMS:
                text = self.requests[which].text
                self._problems.append(f"request {number}: another answer than the first to {text[:60]!r}")

    def _result(self, requests: int, seconds: float) -> Window:
        for slot in self.slots:
            self._settle(slot)
        latencies = self._latencies[:requests]
        latencies.sort()  # in place: a sorted copy would count as growth of memory

        def rank(q: int) -> int:  # nearest rank, like statistics.percentile
            return int(latencies[max(1, -(-q * requests // 100)) - 1])

        gc.collect()
        return Window(
            requests=requests, seconds=seconds, p50_ns=rank(50), p99_ns=rank(99), max_ns=rank(100),
            memory=resident_memory(), loads=self._loads, wrong=self._wrong, failed=self._failed,
        )  # fmt: skip


def resident_memory(status: str | None = None) -> int:
    """Return the anonymous resident bytes of this process; where the system does not report them, the peak.

    Args:
        status: the text of ``/proc/self/status``; read from there if None.
    """
    if status is None:
        file = Path("/proc/self/status")
        status = file.read_text() if file.exists() else ""
    lines = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(lines[0].split()[1]) * 1024 if lines else peak_memory()


def main() -> int:
    """Run the job from stdin."""
    return serve_job(SoakJob, soak)


if __name__ == "__main__":
    sys.exit(main())
