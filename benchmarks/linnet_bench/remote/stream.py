"""Event stream of a device, line by line, and its results when the connection breaks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from linnet import errors
from linnet.errors import DeviceError, InternalError, LinnetError
from linnet.format.bounded_json import parse_json
from linnet_bench.record.profile import as_events
from linnet_bench.record.record import INTERRUPTED_WORDS, MOST_RECORD_BYTES, Record, from_data
from linnet_bench.record.trace import TracedRuns
from linnet_bench.remote.address import Address
from linnet_bench.remote.outcome import Outcome, Report

__all__ = ["EventLog", "error_named", "parse_event", "read_events"]


@dataclasses.dataclass
class EventLog:
    """Everything that a device sent for one request.

    Attributes:
        events: by name, the last one of each.
        done: the device finished the request.
        doing: its last known step.
        lost: how the connection broke, if it did.
    """

    events: dict[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    raw_record: bytes = b""
    done: bool = False
    doing: str = ""
    lost: LinnetError | None = None

    @property
    def failure(self) -> LinnetError | None:
        """Return the error that ended the request: the device's own, else how the connection broke."""
        failed = self.events.get("failed")
        if failed is not None:
            return error_named(failed.get("name", ""), failed.get("message", ""))
        if self.lost is not None:
            during = f" during: {self.doing}" if self.doing else ""
            return type(self.lost)(f"{self.lost}{during}")
        return None

    def last(self, name: str) -> Mapping[str, Any]:
        """Return the event that answers a request.

        Raises:
            DeviceError: the device did not send it.
        """
        if name not in self.events:
            raise DeviceError(f"it gave no answer {name!r}, only {sorted(self.events)}; is its linnet another version?")
        return self.events[name]

    def record(self) -> Record | None:
        """Return the last record that arrived; partial unless the device finished the request."""
        if not self.raw_record:
            return None
        try:
            record = from_data(Record, parse_json(self.raw_record, most_bytes=MOST_RECORD_BYTES)["record"])
        except (ValueError, KeyError, TypeError) as error:
            raise DeviceError(f"the device sent a record that cannot be used: {error}") from error
        if self.done and self.failure is None:
            return record
        reason = str(self.failure) if self.failure is not None else record.ended_early
        return dataclasses.replace(record, partial=True, partial_reason=reason)

    def outcome(self, address: Address, *, interrupted: bool) -> Outcome:
        """Return the outcome of a measurement; ``interrupted``: the user pressed Ctrl-C."""
        traced = [
            TracedRuns(run["threads"], run["tokens"], as_events(run["events"]), run.get("step", ""))
            for run in self.events.get("traced", {}).get("runs", ())
        ]
        record = self.record()
        if record is not None:
            reason = INTERRUPTED_WORDS if interrupted and record.partial else record.partial_reason
            record = dataclasses.replace(record, device=address.name, partial_reason=reason)
        return Outcome(
            address=address,
            record=record,
            failure=self.failure,
            interrupted=interrupted,
            traced=traced,
            events=self.events,
        )


def read_events(lines: Iterable[bytes], report: Report) -> EventLog:
    """Read events until the device is done or its output ends.

    Raises:
        InternalError: a line is no event.
    """
    told = EventLog()
    for line in lines:
        if line.startswith(b'{"event": "record"') and line.endswith(b"\n"):
            told.raw_record = line  # records are long, and only the last one is parsed
        elif line.endswith(b"\n"):
            _take(told, line, report)
        if told.done:
            break
    return told


def parse_event(line: bytes, sender: str) -> dict[str, Any]:
    """Return the event in a line that another process or machine sent.

    Raises:
        InternalError: it is none.
    """
    try:
        event = parse_json(line)
    except ValueError as error:
        raise InternalError(f"{sender} said {line[:80]!r}, which is no event of this linnet") from error
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        raise InternalError(f"{sender} said {line[:80]!r}, which is no event of this linnet")
    return event


def _take(told: EventLog, line: bytes, report: Report) -> None:
    event = parse_event(line, "the device")
    name = event["event"]
    told.events[name] = event
    if name == "progress":
        told.doing = str(event.get("text", ""))
        report(told.doing)
    told.done = name == "done"


def error_named(name: str, message: str) -> LinnetError:
    """Return an error of the class of that name in ``linnet.errors``, InternalError if there is none."""
    kind = getattr(errors, str(name), None)
    return (
        kind(str(message)) if isinstance(kind, type) and issubclass(kind, LinnetError) else InternalError(str(message))
    )
