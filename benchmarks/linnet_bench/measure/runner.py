"""Measured processes, started one after the other, and the results built from their events."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet import errors
from linnet.errors import InternalError, LinnetError
from linnet_bench.measure.process import run_process
from linnet_bench.measure.protocol import Emit, Event, Job
from linnet_bench.record.profile import LengthProfile, as_events
from linnet_bench.record.record import (
    DecodeResult,
    FileFacts,
    Kernels,
    LengthResult,
    OutputCheck,
    State,
    ThreadRun,
    from_data,
)
from linnet_bench.record.trace import TracedRuns

__all__ = ["Collector", "FileInfo", "run_worker"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileInfo:
    """What a worker reports about the file and the runtime after its first answer.

    Attributes:
        load_ns, first_answer_ns: as in :class:`~linnet_bench.record.record.ThreadRun`.
        facts: fields of :class:`~linnet_bench.record.record.FileFacts` that the manifest has.
        runtime: lines of ``runtime_info()``.
        example: the call that was timed, as Python text.
        affinity: CPUs that the process may use.
    """

    load_ns: int
    first_answer_ns: int
    facts: Mapping[str, Any]
    runtime: Mapping[str, str]
    example: str
    affinity: tuple[int, ...] = ()

    def file_facts(self, path: Path, sha256: str) -> FileFacts:
        """Return the facts, completed by name, size and hash of the file."""
        own = {"name": path.name, "size": path.stat().st_size, "sha256": sha256}
        return from_data(FileFacts, {**self.facts, **own}, "file")


class Collector:
    """Collects a worker's events and builds the result at any time, also from an unfinished run.

    Attributes:
        opened: the worker's first report; None before it.
        failure: the error that ended the worker; None if there was none.
        traced: inferences whose events were received.
    """

    def __init__(self, threads: int, before: State, repeat: int = 0) -> None:
        self._threads = threads
        self._before = before
        self._repeat = repeat
        self._kernels: Kernels | None = None
        self._check = OutputCheck(cases=0, before=True, after=None, message="no answer was checked yet")
        self._lengths: list[LengthResult] = []
        self._decoding: list[DecodeResult] = []
        self._answer: LengthResult | None = None
        self._profiles: list[LengthProfile] = []
        self._after: State | None = None
        self._peak_memory: int | None = None
        self.opened: FileInfo | None = None
        self.failure: LinnetError | None = None
        self.traced: list[TracedRuns] = []

    def feed(self, event: Event) -> None:
        """Process one event of :mod:`linnet_bench.measure.worker`.

        Raises:
            InternalError: the event is unknown.
        """
        handlers: Mapping[str, Emit] = {
            "opened": self._on_opened,
            "checked": self._on_checked,
            "measuring": lambda _event: None,
            "length": lambda event: self._lengths.append(from_data(LengthResult, event["result"], "length")),
            "decode": lambda event: self._decoding.append(from_data(DecodeResult, event["result"], "decode")),
            "answer": self._on_answer,
            "profile": self._on_profile,
            "kernels": self._on_kernels,
            "finished": self._on_finished,
            "failed": self._on_failed,
        }
        if event.get("event") not in handlers:
            raise InternalError(f"the measuring process said {event!r}, which is no event of this linnet")
        handlers[event["event"]](event)

    def result(self) -> ThreadRun | None:
        """Return the result so far, None if the file was never opened. After a wrong answer it has no latency."""
        if self.opened is None:
            return None
        invalid = self._check.wrong or self.failure is not None
        return ThreadRun(
            threads=self._threads,
            load_ns=None if invalid else self.opened.load_ns,
            first_answer_ns=None if invalid else self.opened.first_answer_ns,
            check=self._check,
            lengths=() if invalid else tuple(self._lengths),
            answer=None if invalid else self._answer,
            peak_memory=self._peak_memory,
            before=self._before,
            after=self._after,
            profiles=() if invalid else tuple(self._profiles),
            error="" if self.failure is None else str(self.failure),
            repeat=self._repeat,
            affinity=self.opened.affinity,
            kernels=self._kernels,
            decoding=() if invalid else tuple(self._decoding),
        )

    def _on_opened(self, event: Event) -> None:
        given = {field.name: event[field.name] for field in dataclasses.fields(FileInfo) if field.name in event}
        self.opened = FileInfo(**{**given, "affinity": tuple(given.get("affinity", ()))})

    def _on_checked(self, event: Event) -> None:
        self._check = from_data(OutputCheck, event["check"], "check")

    def _on_answer(self, event: Event) -> None:
        self._answer = from_data(LengthResult, event["result"], "answer")

    def _on_profile(self, event: Event) -> None:
        profile = from_data(LengthProfile, event["result"], "profile")
        self._profiles.append(profile)
        self.traced.append(TracedRuns(self._threads, profile.tokens, as_events(event["events"]), profile.step))

    def _on_kernels(self, event: Event) -> None:
        self._kernels = from_data(Kernels, event["kernels"], "kernels")

    def _on_finished(self, event: Event) -> None:
        self._on_checked(event)
        self._after = from_data(State, event["after"], "after")
        self._peak_memory = int(event["peak_memory"])

    def _on_failed(self, event: Event) -> None:
        kind = getattr(errors, event["name"], InternalError)
        self.failure = kind(event["message"])


def run_worker(job: Job, collector: Collector, on_event: Emit) -> None:
    """Run a job in a fresh process and feed its events to ``collector``, then to ``on_event``.

    The process never outlives this call, even if it is interrupted.

    Raises:
        InternalError: the process ended without a reason.
    """

    def take(event: Event) -> None:
        collector.feed(event)
        on_event(event)

    status, said = run_process("linnet_bench.measure.worker", dataclasses.asdict(job), take)
    if status not in (0, 1) or (status == 1 and collector.failure is None):
        raise InternalError(f"the measuring process ended with {status}: {said or 'it said nothing'}")
