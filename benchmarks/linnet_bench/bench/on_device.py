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

# Emitting a long record takes time, so the pause after it is 50 times as long: at most 2 % of the time is spent on it.
_SELDOM = 50


def bench_here(files: Sequence[StoredFile], payload: Mapping[str, Any], emit: Callable[..., None]) -> None:
    """Measure the only file on this machine for a remote host.

    Args:
        files: one file.
        payload: fields of :class:`~linnet_bench.measure.benchmark.BenchmarkRequest`.
        emit: sends an event, given its fields: ``progress``, ``record``, ``traced``.

    Raises:
        LinnetError: the measurement ended early; finished results were emitted.
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
    """Emits the current step, and with each step the record of all finished results."""

    def __init__(self, emit: Callable[..., None], name: str) -> None:
        self._emit = emit
        self._name = name
        self._next = 0.0
        self.benchmark: Benchmark | None = None

    def say(self, text: str) -> None:
        self.tell()  # before the step: when the host sees a step begin, it has the results of all earlier ones
        self._emit(event="progress", text=text)

    def tell(self, *, final: bool = False) -> None:
        """Emit the current record, unless one was emitted recently."""
        start = time.monotonic()
        record = None if self.benchmark is None or (start < self._next and not final) else self.benchmark.record()
        if record is None:
            return
        self._emit(event="record", record=plain(self._named(record)))
        if any(run.lengths for run in record.runs):  # a record without results must not delay the first with results
            self._next = time.monotonic() + _SELDOM * (time.monotonic() - start)

    def _named(self, record: Record) -> Record:
        return dataclasses.replace(record, file=dataclasses.replace(record.file, name=self._name))


def plain(value: Any) -> Any:
    """Convert a dataclass to data for :func:`json.dumps`, like ``dataclasses.asdict`` without copying every number."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple) and value and not isinstance(value[0], int | float | str):
        return [plain(entry) for entry in value]
    return value
