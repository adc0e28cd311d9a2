"""Handle of a worker process in the service: starting, sending work, results, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from typing import Any

from linnet import errors as linnet_errors
from linnet.errors import LinnetError
from linnet_serve.models.messages import (
    Begun,
    Cancel,
    Ended,
    Failed,
    FrameReader,
    FromWorker,
    Generated,
    Job,
    Load,
    ModelInfo,
    Piece,
    Ready,
    Refused,
    Report,
    Reported,
    Work,
    frame,
)

__all__ = ["Replica", "WorkFailed", "WorkerDied"]

_NUMBERS = itertools.count(1)
_STOP_SECONDS = 5.0


class WorkerDied(Exception):
    """The process of a replica ended before it answered."""


class WorkFailed(Exception):
    """A job failed.

    Attributes:
        error: class in linnet.errors.
        caller: the request was wrong.
    """

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message)
        self.error, self.caller = failed.error, failed.caller


class _Connection(asyncio.Protocol):
    """The socket of a worker."""

    def __init__(self, receive: Callable[[FromWorker], None], lost: Callable[[], None]) -> None:
        self._reader, self._receive, self._lost = FrameReader(FromWorker), receive, lost

    def data_received(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            self._receive(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()


class Replica:
    """One worker process with an open file.

    Attributes:
        info: what the worker said about its file.
        alive: the process runs.
        snapshot: counts of the worker when it last reported, or None.
        on_end: is called when the process has ended.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Wrap a started process; :meth:`start` does this."""
        self._process = process
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[ModelInfo] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[FromWorker]] = {}
        self._streams: dict[int, asyncio.Queue[FromWorker | None]] = {}
        self._reports: list[asyncio.Future[None]] = []
        self.alive = True
        self.snapshot: dict[str, Any] | None = None
        self.on_end: Callable[[], None] = lambda: None

    @property
    def info(self) -> ModelInfo:
        return self._opened.result()

    @property
    def jobs(self) -> int:
        """Number of jobs that the worker has."""
        return len(self._waiting) + len(self._streams)

    @property
    def process_id(self) -> int:
        """Id of the process."""
        return self._process.pid

    @classmethod
    async def start(cls, load: Load) -> Replica:
        """Start a worker and wait until its file is open.

        Raises:
            LinnetError: the file was refused, with the worker's error, or the process ended.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [sys.executable, "-m", "linnet_serve.models.worker", str(theirs.fileno())]
        # numpy's BLAS is hardly used here, and each of its threads keeps a buffer
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        try:
            process = await asyncio.create_subprocess_exec(
                *command, pass_fds=[theirs.fileno()], stdin=asyncio.subprocess.DEVNULL, env=environment
            )
        finally:
            theirs.close()
        replica = cls(process)
        connection = _Connection(replica._receive, replica._lost)
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
        replica._transport = transport
        transport.write(frame(load))
        try:
            await replica._opened
        except BaseException:
            await replica.stop()
            raise
        return replica

    async def do(self, work: Work) -> FromWorker:
        """Do one job and return its result; leaving early cancels it.

        Raises:
            WorkFailed: it failed.
            WorkerDied: the process ended.
        """
        number = next(_NUMBERS)
        future: asyncio.Future[FromWorker] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._send(Job(number, work))
            result = await future
        except asyncio.CancelledError:
            self._send(Cancel(number))
            raise
        finally:
            self._waiting.pop(number, None)
        if isinstance(result, Failed):
            raise WorkFailed(result)
        return result

    async def generate(self, work: Work, deadline: float) -> AsyncGenerator[Generated, None]:
        """Do one generation and yield what comes of it; leaving early cancels it.

        Args:
            work: what to generate.
            deadline: time of the event loop after which no piece is waited for.

        Raises:
            TimeoutError: the time is over.
            WorkFailed: it failed.
            WorkerDied: the process ended.
        """
        number = next(_NUMBERS)
        pieces: asyncio.Queue[FromWorker | None] = asyncio.Queue()
        self._streams[number] = pieces
        ended = False
        try:
            self._send(Job(number, work))
            while not ended:
                async with asyncio.timeout_at(deadline):
                    message = await pieces.get()
                if message is None:
                    raise WorkerDied("the worker process ended")
                ended = isinstance(message, Ended | Failed)
                if isinstance(message, Failed):
                    raise WorkFailed(message)
                assert isinstance(message, Begun | Piece | Ended)
                yield message
        finally:
            self._streams.pop(number, None)
            if not ended:
                self._send(Cancel(number))

    async def report(self, seconds: float) -> None:
        """Ask the worker for its counts, and wait some seconds for them."""
        if not self.alive:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reports.append(future)
        self._send(Report())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(future, seconds)

    async def stop(self) -> None:
        """End the process: it gets the end of its input, then SIGKILL."""
        if self._transport is not None:
            self._transport.close()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _send(self, message: Any) -> None:
        if self._transport is None or not self.alive:
            if isinstance(message, Cancel):
                return
            raise WorkerDied("the worker process has ended")
        try:
            data = frame(message)
        except (OverflowError, ValueError, RecursionError) as error:
            # an integer of more than 64 bits, or a message that is too large or nested too deeply
            failed = Failed(message.number, "InvalidArgumentError", f"the request cannot be worked on: {error}", True)
            raise WorkFailed(failed) from None
        self._transport.write(data)

    def _receive(self, message: FromWorker) -> None:
        if isinstance(message, Ready):
            self._opened.set_result(message.info)
        elif isinstance(message, Refused):
            self._opened.set_exception(_error_of(message))
        elif isinstance(message, Reported):
            self.snapshot = message.snapshot
            for asked in self._reports:
                if not asked.done():
                    asked.set_result(None)
            self._reports.clear()
        elif (pieces := self._streams.get(message.number)) is not None:
            pieces.put_nowait(message)
        elif (future := self._waiting.get(message.number)) is not None and not future.done():
            future.set_result(message)

    def _lost(self) -> None:
        self.alive = False
        if not self._opened.done():
            self._opened.set_exception(LinnetError("the worker process ended while it opened the file"))
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(WorkerDied("the worker process ended"))
        for pieces in self._streams.values():
            pieces.put_nowait(None)
        self.on_end()


def _error_of(refused: Refused) -> LinnetError:
    kind = getattr(linnet_errors, refused.error, LinnetError)
    return kind(refused.message) if issubclass(kind, LinnetError) else LinnetError(refused.message)
