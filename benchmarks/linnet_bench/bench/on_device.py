"""``linnet bench`` on a device: the entry point of its remote job, which emits the record as it grows."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from linnet_bench.measure.benchmark import Benchmark, BenchmarkRequest, default_threads
from linnet_bench.record.record import Record, from_data
from linnet_bench.remote.agent import StoredFile

__all__ = ["ENTRY_POINT", "bench_here", "plain"]

ENTRY_POINT = "linnet_bench.bench.on_device:bench_here"

# A record is written while the worker warms up; where it is long, it is written seldom: 2 % of the time at most.
_SELDOM = 50


def bench_here(files: Sequence[StoredFile], payload: Mapping[str, Any], emit: Callable[..., None]) -> None:
    """Measure the only file here for somebody else.

    Args:
        files: one.
        payload: fields of :class:`~linnet_bench.measure.benchmark.BenchmarkRequest`.
        emit: takes the fields of an event: ``progress``, ``record``, ``traced``.

    Raises:
        LinnetError: it ended early; what was finished before was emitted.
    """
    request = from_data(BenchmarkRequest, payload, "request")
    settings = request.settings
    if request.own_threads:
        settings = dataclasses.replace(settings, threads=default_threads())
    (file,) = files
    emitter = _RecordEmitter(emit, file.name)
    benchmark = Benchmark(file.path, settings, emitter.say, command=request.command)
    emitter.benchmark = benchmark
    failure = benchmark.measure()
    emitter.tell(final=True)
    if benchmark.traced:
        emit(event="traced", runs=[plain(run) for run in benchmark.traced])
    if failure is not None:
        raise failure


class _RecordEmitter:
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
