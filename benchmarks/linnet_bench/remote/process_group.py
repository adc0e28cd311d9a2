"""Child processes that communicate with a device: none outlives this process; Ctrl-C cancels each in its own way."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from linnet.errors import DeviceError
from linnet_bench.measure.engine import Cancelled

__all__ = ["Finished", "ProcessGroup"]

_GRACE_SECONDS = 15.0  # time for a device to end its measurement and to send its results
_TICK_SECONDS = 0.2
_SAID_BYTES = 1 << 16


class Finished:
    """Exit status and stderr of a finished process.

    Attributes:
        returncode: exit status, negative for a signal.
        said: the end of what it wrote to stderr.
    """

    def __init__(self, returncode: int, said: str) -> None:
        self.returncode = returncode
        self.said = said


class ProcessGroup:
    """Starts processes for one device and ends them when the user cancels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # cancel() runs in another thread: no process may start unseen by it
        self._asks: dict[subprocess.Popen[bytes], Callable[[], None]] = {}
        self._cancelled_at: float | None = None

    @property
    def cancelled(self) -> bool:
        """Return whether the user pressed Ctrl-C."""
        return self._cancelled_at is not None

    def cancel(self) -> None:
        """Request every process to end. A second call kills them."""
        with self._lock:
            again = self.cancelled
            self._cancelled_at = self._cancelled_at or time.monotonic()
            for process, ask in self._asks.items():
                (process.kill if again else ask)()

    def check(self) -> None:
        """Raise if the user cancelled.

        Raises:
            Cancelled: the user pressed Ctrl-C.
        """
        if self.cancelled:
            raise Cancelled

    @contextlib.contextmanager
    def start(self, words: Sequence[str], ask: Callable[[IO[bytes]], None] | None = None) -> Iterator[Process]:
        """Run a process; it has ended when the context exits, even on an exception.

        Args:
            words: command line.
            ask: requests the process to end, given its stdin; None: a signal.

        Raises:
            Cancelled: the user pressed Ctrl-C before it was started.
            DeviceError: there is no such program.
        """
        with tempfile.TemporaryFile() as errors:  # a file, because a full pipe that is not read would block the process
            process = self._spawn(words, errors, ask)
            try:
                yield Process(process, errors, self)
            finally:
                _end(process)
                with self._lock:
                    del self._asks[process]

    def _spawn(
        self, words: Sequence[str], errors: IO[bytes], ask: Callable[[IO[bytes]], None] | None
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            self.check()
            try:
                # a session of its own, so that only this process receives the terminal's Ctrl-C
                process = subprocess.Popen(
                    words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
                )
            except OSError as error:
                raise DeviceError(f"{words[0]} cannot be run: {error.strerror}") from error
            assert process.stdin is not None
            stdin = process.stdin
            self._asks[process] = process.terminate if ask is None else lambda: ask(stdin)
        return process

    def overdue(self) -> bool:
        """Return whether the grace period after cancelling is over."""
        return self._cancelled_at is not None and time.monotonic() - self._cancelled_at > _GRACE_SECONDS


class Process:
    """A running process of a processes."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes], processes: ProcessGroup) -> None:
        self._process = process
        self._errors = errors
        self._processes = processes

    def write(self, pieces: Iterable[bytes], *, close: bool = True) -> None:
        """Write to its stdin; if the process has ended, its exit status reports that."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):  # ValueError: stdin was closed by Ctrl-C
            for piece in pieces:
                self._process.stdin.write(piece)
            self._process.stdin.flush()
            if close:
                self._process.stdin.close()

    def lines(self) -> Iterator[bytes]:
        """Yield each line of its output, until the output ends or a cancelled process is killed."""
        assert self._process.stdout is not None
        # in a thread, because reading a line blocks until the process writes or ends
        watch = threading.Thread(target=self._kill_when_overdue, daemon=True)
        watch.start()
        yield from self._process.stdout

    def _kill_when_overdue(self) -> None:
        while self._process.poll() is None:
            if self._processes.overdue():
                self._process.kill()
                return
            time.sleep(_TICK_SECONDS)

    def poll(self) -> int | None:
        """Return the exit status, None while it is running."""
        return self._process.poll()

    def finish(self) -> Finished:
        """Wait for its end and return exit status and stderr."""
        self._process.wait()
        return Finished(self._process.returncode, self.said())

    def said(self) -> str:
        """Return what it wrote to stderr so far."""
        # pread, because the file offset is shared: a seek would move where the process writes next
        return os.pread(self._errors.fileno(), _SAID_BYTES, 0).decode(errors="replace").strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    # SIGTERM first, so that the process can clean up
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
