"""Audit log of the service: one line of JSON for each request, without texts."""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path

import msgspec

__all__ = ["AuditEntry", "AuditLog"]

_MOST_WAITING = 10_000


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One request. No field can hold a text of the client.

    Attributes:
        time: seconds since 1970.
        request: random id, which the answer has as x-request-id.
        key: id of the key, or the subject of a token.
        route: path of the route as the service names it, "/models/{name}".
        model: name of the model in the service, or empty.
        status: HTTP status.
        error: code of the error, or empty.
        seconds: until the end of the answer.
        tokens: tokens that were read and written.
    """

    time: float
    request: str
    key: str
    route: str
    model: str
    status: int
    error: str
    seconds: float
    tokens: int


class AuditLog:
    """File that is appended to by a thread of its own; what cannot be written is counted and left out.

    Attributes:
        lost: entries that could not be written, since the disk was full or too slow.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, readable by its owner alone.

        Raises:
            OSError: it cannot be opened.
        """
        self._path = path
        self._file = self._open()
        self._waiting: queue.Queue[AuditEntry | None] = queue.Queue(_MOST_WAITING)
        self.lost = 0
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def write(self, entry: AuditEntry) -> None:
        """Take an entry; this never waits."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._waiting.put(None)
        self._thread.join(5)
        os.close(self._file)

    def reopen(self) -> None:
        """Open the file again, after logrotate has renamed it."""
        before, self._file = self._file, self._open()
        os.close(before)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _write(self) -> None:
        encoder = msgspec.json.Encoder()
        while (entry := self._waiting.get()) is not None:
            line = encoder.encode(entry) + b"\n"
            try:
                # one call, so that a line is complete or, on a full disk, is cut and ended before the next
                if os.write(self._file, line) < len(line):
                    self.lost += 1
                    os.write(self._file, b"\n")
            except OSError:
                self.lost += 1
