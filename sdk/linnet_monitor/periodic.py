"""Snapshots at an interval, in a thread: JSON lines to files of bounded size or standard output, and other sinks."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from linnet.errors import InvalidArgumentError
from linnet.monitoring.metrics import Metrics

__all__ = ["JsonLines", "Periodic", "Sink"]


class Sink(Protocol):
    """What takes snapshots."""

    @property
    def name(self) -> str:
        """Value of the label ``sink``."""

    def write(self, snapshot: Mapping[str, Any]) -> None:
        """Take a snapshot.

        Raises:
            OSError: it could not.
        """


class JsonLines:
    """One line of JSON for each snapshot, in a file that is renamed when it is full, or on standard output."""

    name = "json_lines"

    def __init__(self, path: str | Path = "-", *, most_bytes: int = 10_000_000, keep: int = 3) -> None:
        """Choose where the lines go; nothing is opened yet.

        Args:
            path: the file; ``-``: standard output.
            most_bytes: a file that a line would make larger becomes PATH.1, and PATH.1 becomes PATH.2.
            keep: number of older files; older ones are deleted.

        Raises:
            InvalidArgumentError: a number is out of its range.
        """
        if most_bytes < 1 or keep < 0:
            raise InvalidArgumentError(
                f"expected most_bytes of at least 1 and keep of at least 0, got {most_bytes}, {keep}"
            )
        self._path = None if str(path) == "-" else Path(path)
        self._most, self._keep = most_bytes, keep

    def write(self, snapshot: Mapping[str, Any]) -> None:
        """Append a snapshot.

        Raises:
            OSError: there is no room, or the file cannot be written. A line that was cut off is removed again.
        """
        line = json.dumps(snapshot, separators=(",", ":"), allow_nan=False) + "\n"
        if self._path is None:
            sys.stdout.write(line)
            sys.stdout.flush()
            return
        data = line.encode()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and size + len(data) > self._most:
                self._rotate(self._path)
                os.close(descriptor)
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                size = 0
            _append(descriptor, data, size)
        finally:
            os.close(descriptor)

    def _rotate(self, path: Path) -> None:
        if not self._keep:
            path.unlink()
            return
        for number in range(self._keep - 1, 0, -1):
            older = Path(f"{path}.{number}")
            if older.exists():
                older.replace(f"{path}.{number + 1}")
        path.replace(f"{path}.1")


def _append(descriptor: int, data: bytes, size: int) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise


class Periodic:
    """A thread that gives a snapshot to each sink at an interval; one that fails is counted and tried again.

    Attributes:
        error: what the last failure said; empty if there was none.
    """

    def __init__(self, metrics: Metrics, sinks: Sequence[Sink], interval: float = 60.0) -> None:
        """Prepare the thread; :meth:`start` starts it.

        Args:
            metrics: of which snapshots are taken.
            sinks: where they go.
            interval: seconds between two, at least 0.1.

        Raises:
            InvalidArgumentError: the interval is too short.
        """
        if not interval >= 0.1:
            raise InvalidArgumentError(f"expected an interval of at least 0.1 s, got {interval!r}")
        self._metrics, self._sinks, self._interval = metrics, tuple(sinks), interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="linnet-metrics", daemon=True)
        self.error = ""

    def start(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def stop(self, timeout: float = 15.0) -> None:
        """Write a last snapshot and end the thread, after at most ``timeout`` seconds."""
        self._stopping.set()
        self._thread.join(timeout)

    def write(self) -> None:
        """Give a snapshot to every sink now."""
        snapshot = self._metrics.snapshot()
        for sink in self._sinks:
            try:
                sink.write(snapshot)
            except (OSError, ValueError) as error:  # a closed standard output is a ValueError
                self.error = f"{sink.name}: {error}"
                self._metrics.count("export_failures", sink=sink.name)

    def _work(self) -> None:
        while not self._stopping.wait(self._interval):
            self.write()
        self.write()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
