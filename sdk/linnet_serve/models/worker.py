"""Worker process of the service: opens one file and does the work that comes over a socket.

python -m linnet_serve.models.worker FD
"""

from __future__ import annotations

import queue
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from typing import TypeAlias

from linnet.errors import CallerError, FileError, LinnetError
from linnet.loading import load
from linnet.model import Model
from linnet.monitoring import Metrics
from linnet.runtime import core
from linnet_monitor.drift import watch_reference
from linnet_serve.models.messages import (
    Cancel,
    Failed,
    FrameReader,
    FromWorker,
    Generate,
    Job,
    Load,
    Ready,
    Refused,
    Report,
    Reported,
    ToWorker,
    frame,
)
from linnet_serve.models.operations import OPERATIONS, describe
from linnet_serve.models.process_memory import process_bytes
from linnet_serve.models.writing import Writer

__all__ = ["main"]

_RECEIVED_BYTES = 1 << 18

Inbox: TypeAlias = "queue.SimpleQueue[ToWorker | None]"


def main(arguments: list[str]) -> int:
    """Serve the socket of the given file descriptor until it is closed; return the exit status."""
    # Ctrl-C reaches the whole process group; the service decides when its workers end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    warnings.simplefilter("ignore")  # the service has no terminal; what was cut off is counted instead
    connection = socket.socket(fileno=int(arguments[0]))
    inbox: Inbox = queue.SimpleQueue()
    metrics, sending = Metrics(), threading.Lock()

    def send(message: FromWorker) -> None:
        data = frame(message)
        with sending:  # reports come from the thread that receives
            connection.sendall(data)

    threading.Thread(target=_receive, args=(connection, inbox, metrics, send), daemon=True).start()
    first = inbox.get()
    if not isinstance(first, Load):
        return 1
    try:
        model = _open(first, send, metrics)
        if model is not None:
            _work(model, Writer(model, first.capacity), inbox, send)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the service has gone, and nobody waits for an answer
    return 0


def _receive(connection: socket.socket, inbox: Inbox, metrics: Metrics, send: Callable[[FromWorker], None]) -> None:
    reader = FrameReader(ToWorker)
    try:
        while data := connection.recv(_RECEIVED_BYTES):
            for message in reader.feed(data):
                if isinstance(message, Report):
                    send(Reported(metrics.snapshot()))
                else:
                    inbox.put(message)
    except (ConnectionResetError, BrokenPipeError):
        pass  # the same as an end
    finally:
        inbox.put(None)


def _open(wanted: Load, send: Callable[[FromWorker], None], metrics: Metrics) -> Model | None:
    """Open the file and tell how that ended."""
    try:
        if wanted.data_bytes:
            _limit_data(wanted.data_bytes)
        model = load(wanted.path, threads=wanted.threads)
        if wanted.verify:
            _verify(model, wanted.path)
        if model.task != "text-generation":
            model.run(model.tokenize("ready"))  # the first run prepares the weights, which no client should wait for
        if wanted.name:
            watch = model.watch(metrics, wanted.name)
            watch.self_tested(passed=True)
            watch_reference(model, watch)
        send(Ready(describe(model)))
        return model
    except (LinnetError, OSError, MemoryError) as error:
        send(_refused(wanted, error))
        return None


def _refused(wanted: Load, error: Exception) -> Refused:
    if isinstance(error, MemoryError) and wanted.data_bytes:
        message = f"{wanted.path} needs more than {wanted.data_bytes / 1e6:.0f} MB of data; raise memory of the model"
        return Refused("OutOfMemoryError", message)
    return Refused(type(error).__name__, str(error))


def _limit_data(size: int) -> None:
    """Bound what the process takes beyond its libraries, whose data and thread stacks are there already."""
    import resource

    core()
    limit = process_bytes("self", "VmData") + size  # as RLIMIT_DATA counts it
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _verify(model: Model, path: str) -> None:
    """Check all bytes of a file and repeat its golden cases.

    Raises:
        FileError: bytes are damaged, or an answer differs from the recorded one.
    """
    from linnet.errors import GoldenMismatchError
    from linnet.golden_replay import replay_evidence
    from linnet.runtime import verify_file

    verify_file(path)
    results = replay_evidence(model)
    if wrong := [result for result in results if result.problems]:
        raise GoldenMismatchError(
            f"{path}: {len(wrong)} of {len(results)} golden cases differ, first: {wrong[0].problems[0]}"
        )


def _work(model: Model, writer: Writer, inbox: Inbox, send: Callable[[FromWorker], None]) -> None:
    """Do jobs in the order in which they come, and generate texts in turns between them."""
    waiting: list[Job] = []
    skipped: set[int] = set()

    def fail(number: int, error: Exception) -> None:
        send(_failed(number, error))

    while True:
        for message in _arrived(inbox, wait=not waiting and not writer):
            if message is None:
                return
            if isinstance(message, Job):
                waiting.append(message)
            elif isinstance(message, Cancel):
                writer.cancel(message.number)
                skipped.add(message.number)
        job = waiting.pop(0) if waiting else None
        if job is not None and job.number not in skipped:
            _do(model, writer, job, send, fail)
        if not waiting:
            skipped.clear()
        writer.step(send, fail)


def _arrived(inbox: Inbox, *, wait: bool) -> list[ToWorker | None]:
    messages = [inbox.get()] if wait else []
    while not inbox.empty():
        messages.append(inbox.get())
    return messages


def _do(
    model: Model,
    writer: Writer,
    job: Job,
    send: Callable[[FromWorker], None],
    fail: Callable[[int, Exception], None],
) -> None:
    try:
        if isinstance(job.work, Generate):
            send(writer.begin(job.number, job.work))
        else:
            send(OPERATIONS[type(job.work)](model, job.number, job.work))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001  an error of one job, told to the one who asked for it
        fail(job.number, error)


def _failed(number: int, error: Exception) -> Failed:
    caller = isinstance(error, CallerError) and not isinstance(error, FileError)
    return Failed(number, type(error).__name__, str(error), caller)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
