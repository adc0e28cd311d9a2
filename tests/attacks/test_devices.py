"""What a device that is measured may send: events and errors of another linnet, or of somebody else."""

from __future__ import annotations

import json

import pytest

from linnet.errors import DeviceError, GoldenMismatchError, InternalError
from linnet_bench.remote.stream import EventLog, error_named, read_events

LINES = (
    b"[" * 100_000 + b"\n",
    b'{"event": ' + b"[" * 100_000 + b"\n",
    b"9" * 5000 + b"\n",
    b"[]\n",
    b"3\n",
    b'{"event": 3}\n',
    b'{"event": null}\n',
    b'{"event": "progress", "text": "\xff"}\n',
    b'{"event": "progress", "text": NaN}\n',
    b"\x00\x1b[2J\n",
)


@pytest.mark.parametrize("line", LINES, ids=lambda line: repr(line[:20]))
def test_a_line_that_is_no_event_is_called_that(line: bytes) -> None:
    with pytest.raises(InternalError, match="no event of this linnet") as raised:
        read_events([line], lambda _: None)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", ["annotations", "error_class", "__all__", "printable", "ClassVar", "", "LinnetErrors"])
def test_only_errors_are_made_by_name(name: str) -> None:
    """`annotations` and `error_class` are names in the module of errors too."""
    assert type(error_named(name, "text")) is InternalError
    assert type(error_named("GoldenMismatchError", "text")) is GoldenMismatchError


@pytest.mark.parametrize("event", [{}, {"name": 3}, {"name": "DeviceError"}, {"message": ["a"]}])
def test_a_failure_without_words_is_a_failure(event: dict[str, object]) -> None:
    log = read_events([json.dumps({"event": "failed", **event}).encode() + b"\n"], lambda _: None)
    assert isinstance(log.failure, DeviceError | InternalError)


@pytest.mark.parametrize(
    "record", [b"{}", b'{"record": 3}', b'{"record": {}}', b"[" * 100_000, b'{"record": {"kind": NaN}}']
)
def test_a_record_that_cannot_be_used_is_the_devices_fault(record: bytes) -> None:
    with pytest.raises(DeviceError, match="record that cannot be used"):
        EventLog(raw_record=record).record()
