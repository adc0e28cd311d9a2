"""What runs on a device once linnet is there: one ``linnet bench``, told line by line.

Events, beside ``done`` and ``failed`` of :mod:`linnet_bench.remote.bootstrap`:

========  =====================================================================================
event     fields
========  =====================================================================================
progress  ``text``: what is being measured now
record    ``record``: everything that is finished, again and again; the last one counts
tuned     ``finding``: of :mod:`linnet_bench.tune.measure`, where the job is to tune
traced    ``runs``: threads, tokens and events of :class:`~linnet_bench.record.trace.TracedRuns`
failed    ``name``, ``message``: the error that ended it; the record before it is partial
========  =====================================================================================
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError
from linnet_bench.measure.benchmark import Benchmark, default_threads
from linnet_bench.record.record import Record, Settings, from_data

__all__ = ["measure", "plain"]

# A record is written while the worker warms up; where it is long, it is written seldom: 2 % of the time at most.
_SELDOM = 50


def measure(file: Path, job: Mapping[str, Any], emit: Callable[..., None]) -> None:
    """Measure ``file`` and tell it by ``emit``, or tune it if the job has ``tune``.

    Args:
        file: on this machine.
        job: ``settings`` of :class:`Settings`, ``own_threads`` (this machine's default counts), ``name`` of the
            file and ``command`` for the record. Or ``tune`` and ``names``
            (:func:`linnet_bench.tune.devices.tune_as_device`) and ``more``, paths of further recipes.
        emit: takes the fields of an event.
    """
    failure: LinnetError | None = None
    try:
        if job.get("tune") is not None:
            from linnet_bench.tune.devices import tune_as_device

            tune_as_device([file, *map(Path, job["more"])], job, emit)
            return
        settings = from_data(Settings, job["settings"], "settings")
        if job["own_threads"]:
            settings = dataclasses.replace(settings, threads=default_threads())
        teller = _Teller(emit, job["name"])
        benchmark = Benchmark(file, settings, teller.say, command=job["command"])
        teller.benchmark = benchmark
        failure = benchmark.measure()
        teller.tell(final=True)
        if benchmark.traced:
            emit(event="traced", runs=[plain(run) for run in benchmark.traced])
    except LinnetError as error:
        failure = error
    if failure is not None:
        emit(event="failed", name=type(failure).__name__, message=str(failure))


class _Teller:
    """Tells what is being measured, and with each step what is finished."""

    def __init__(self, emit: Callable[..., None], name: str) -> None:
        self._emit = emit
        self._name = name
        self._next = 0.0
        self.benchmark: Benchmark | None = None

    def say(self, text: str) -> None:
        self.tell()  # first: once the next step is seen to begin, the ones before it are safe
        self._emit(event="progress", text=text)

    def tell(self, *, final: bool = False) -> None:
        """Emit the record as it is now, unless one was emitted just now."""
        start = time.monotonic()
        record = None if self.benchmark is None or (start < self._next and not final) else self.benchmark.record()
        if record is None:
            return
        self._emit(event="record", record=plain(self._named(record)))
        if any(run.lengths for run in record.runs):  # one without results must not delay the first that has some
            self._next = time.monotonic() + _SELDOM * (time.monotonic() - start)

    def _named(self, record: Record) -> Record:
        return dataclasses.replace(record, file=dataclasses.replace(record.file, name=self._name))


def plain(value: Any) -> Any:
    """Return what :func:`json.dumps` takes, as ``dataclasses.asdict`` but without a copy of every number."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple) and value and not isinstance(value[0], int | float | str):
        return [plain(each) for each in value]
    return value
