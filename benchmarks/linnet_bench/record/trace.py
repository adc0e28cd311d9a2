"""Profiled inferences in Chrome's trace event format, for chrome://tracing and https://ui.perfetto.dev.

The format: "Trace Event Format", Google, 2016; complete events ("ph": "X") with ``ts`` and ``dur`` in
microseconds, and metadata events ("ph": "M") with names. Each length and thread count is a process of its own
whose time starts at 0; its tracks are the inferences, the program's instructions, and one for each partition.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from linnet.cli.console import counted
from linnet_bench.record.profile import Event, delegate_of, steps_of
from linnet_bench.record.record import Record

__all__ = ["TracedRuns", "trace_facts", "trace_json"]

_INFERENCES, _PROGRAM = 1, 2  # numbers of tracks; partition N has track _PROGRAM + N


@dataclasses.dataclass(frozen=True)
class TracedRuns:
    """Traced inferences of one length.

    Attributes:
        threads: number of threads of the process.
        tokens: length of the input.
        events: events of consecutive runs, in the order in which they ended.
        step: as in :class:`~linnet_bench.record.profile.LengthProfile`.
    """

    threads: int
    tokens: int
    events: Sequence[Event]
    step: str = ""


def trace_json(runs: Sequence[TracedRuns], facts: Mapping[str, Any]) -> str:
    """Return the trace as JSON; ``facts`` are shown as its metadata."""
    events = [event for process, traced in enumerate(runs, 1) for event in _process(process, traced)]
    document = {"displayTimeUnit": "ms", "otherData": dict(facts), "traceEvents": events}
    return json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"


def _process(process: int, runs: TracedRuns) -> Iterator[dict[str, Any]]:
    zero = min((event.start_ns for event in runs.events), default=0)
    tracks = {_INFERENCES: "inferences", _PROGRAM: "program"}
    for run, group in itertools.groupby(runs.events, key=lambda event: event.run):
        for track, name, event in _slices(list(group)):
            tracks.setdefault(track, f"partition {track - _PROGRAM} ({delegate_of(name)})")
            yield {
                "ph": "X",
                "pid": process,
                "tid": track,
                "name": name,
                "cat": tracks[track].split()[0],
                "ts": (event.start_ns - zero) / 1000,
                "dur": event.time / 1000,
                "args": {"inference": run, "instruction": event.instruction},
            }
    yield _named("process_name", process, 0, _process_name(runs))
    for track, name in tracks.items():
        yield _named("thread_name", process, track, name)


def _process_name(runs: TracedRuns) -> str:
    step = f"{runs.step}, " if runs.step else ""
    return f"{step}{runs.tokens} tokens, {counted(runs.threads, 'thread')}"


def _slices(events: Sequence[Event]) -> Iterator[tuple[int, str, Event]]:
    """Yield track, name and event of each slice of one run."""
    for event in events:
        if event.instruction < 0:
            yield _INFERENCES, event.name, event
    for step in steps_of(events):
        yield _PROGRAM, step.name, step.event
        for operator in step.operators:
            yield _PROGRAM + step.partition, operator.name, operator


def _named(what: str, process: int, track: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "pid": process, "tid": track, "name": what, "args": {"name": name}}


def trace_facts(record: Record) -> dict[str, str | None]:
    """Return the metadata of a trace: file, machine and versions."""
    machine = record.environment
    return {
        "file": record.file.name,
        "sha256": record.file.sha256,
        "cpu": machine.cpu,
        "linnet": machine.versions.linnet,
        "executorch": machine.versions.executorch,
        "created": record.created,
    }
