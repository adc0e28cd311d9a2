"""Hosted model of the service: bounded queue, replicas, restarts of dead workers, and replacement of its file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from linnet.errors import LinnetError
from linnet.monitoring import Metrics, merge
from linnet.monitoring.table import snake_case
from linnet_serve.errors import ServiceError, invalid, overloaded, timed_out, unavailable
from linnet_serve.models.messages import Ended, Generate, Generated, Load, ModelInfo, Work
from linnet_serve.models.replica import Replica, WorkerDied, WorkFailed
from linnet_serve.settings import ModelSettings

__all__ = ["HostedModel"]

_LOG = logging.getLogger("linnet.serve")

# jobs that a worker holds: one that it does and some more, so that it does not wait for the next while the service is
# busy with other connections
_AHEAD = 4
# pause before a full queue is told: a client that asks again at once would else take the processor from the workers
_REFUSAL_SECONDS = 0.5
_ATTEMPTS = 2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
_RETRY_SECONDS = 1.0
_REPORT_SECONDS = 1.0

T = TypeVar("T")


class HostedModel:
    """A file with its replicas.

    Attributes:
        name: name in requests.
        settings: of the model.
        info: what the workers say about the file.
    """

    def __init__(self, settings: ModelSettings, metrics: Metrics) -> None:
        """Create a model without replicas; :meth:`start` starts them.

        Args:
            settings: of the model.
            metrics: of the service: queue and completions; the workers count the rest.
        """
        self.name, self.settings, self._metrics = settings.name, settings, metrics
        metrics.register_model(settings.name)
        self._past: list[dict[str, Any]] = []
        self._replicas: list[Replica] = []
        self._waiting: deque[asyncio.Future[Replica]] = deque()
        self._taken: dict[Replica, int] = {}
        self._info: ModelInfo | None = None
        self._identity = ""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._replacing = asyncio.Lock()

    @property
    def info(self) -> ModelInfo:
        assert self._info is not None, "the model was not started"
        return self._info

    @property
    def ready(self) -> bool:
        """True if a replica can take work."""
        return not self._closing and any(replica.alive for replica in self._replicas)

    @property
    def queued(self) -> int:
        """Number of jobs that wait for a replica."""
        return len(self._waiting)

    @property
    def process_ids(self) -> list[int]:
        """Ids of the worker processes."""
        return [replica.process_id for replica in self._replicas if replica.alive]

    # -- lifetime ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start all replicas.

        Raises:
            LinnetError: the file was refused.
        """
        self._identity = _identity(self.settings.file)
        self._take(await self._started(verify=False))

    async def close(self) -> None:
        """End all replicas; jobs that they have fail."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(replica.stop() for replica in self._replicas))

    async def replace(self) -> bool:
        """Open the file again if it has changed, and use it once all its bytes and golden cases are checked.

        Jobs go on meanwhile; those that the old replicas have are finished there.

        Returns:
            False if the file is still the same.

        Raises:
            LinnetError: the new file was refused; the old one stays.
        """
        async with self._replacing:
            return await self._replace_changed()

    async def _replace_changed(self) -> bool:
        identity = _identity(self.settings.file)
        if identity == self._identity:
            return False
        replicas = await self._started(verify=True)
        if replicas[0].info.task != self.info.task:
            await asyncio.gather(*(replica.stop() for replica in replicas))
            raise LinnetError(
                f"{self.settings.file}: expected a file of the task {self.info.task}, got {replicas[0].info.task}"
            )
        old, self._identity = self._replicas, identity
        self._take(replicas)
        self._keep(asyncio.create_task(self._retire(old)))
        return True

    async def _started(self, *, verify: bool) -> list[Replica]:
        load = self._load(verify=verify)
        started = await asyncio.gather(
            *(Replica.start(load) for _ in range(self.settings.replicas)), return_exceptions=True
        )
        replicas = [result for result in started if isinstance(result, Replica)]
        for result in started:
            if isinstance(result, BaseException):
                await asyncio.gather(*(replica.stop() for replica in replicas))
                raise result
        return replicas

    def _load(self, *, verify: bool) -> Load:
        settings = self.settings
        return Load(
            path=str(settings.file),
            threads=settings.threads,
            verify=verify,
            capacity=settings.context,
            data_bytes=settings.memory_bytes,
            name=settings.name,
        )

    def _take(self, replicas: Sequence[Replica]) -> None:
        self._replicas = list(replicas)
        self._info = replicas[0].info
        for replica in replicas:
            self._add(replica)

    def _add(self, replica: Replica) -> None:
        self._taken[replica] = 0
        replica.on_end = lambda: self._ended(replica)
        self._dispatch()

    async def _retire(self, replicas: Sequence[Replica]) -> None:
        """End replicas of the old file when their jobs are finished."""
        for replica in replicas:
            replica.on_end = lambda: None
        deadline = time.monotonic() + self.settings.timeout
        while any(replica.alive and replica.jobs for replica in replicas) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for replica in replicas:
            await replica.report(_REPORT_SECONDS)
            self._forget(replica)
            await replica.stop()

    def _forget(self, replica: Replica) -> None:
        """Drop a replica, whose counts stay: a counter never goes back."""
        self._taken.pop(replica, None)
        if replica.snapshot is not None:
            self._past = [merge([*self._past, replica.snapshot])]
            replica.snapshot = None

    async def snapshots(self) -> list[dict[str, Any]]:
        """Ask all workers for their counts; return these, and those of workers that have ended."""
        replicas = list(self._taken)
        await asyncio.gather(*(replica.report(_REPORT_SECONDS) for replica in replicas))
        return self._past + [replica.snapshot for replica in replicas if replica.snapshot is not None]

    def _ended(self, replica: Replica) -> None:
        """Start another worker in the place of one that died."""
        self._forget(replica)
        if not self._closing and replica in self._replicas:
            _LOG.error("model %s: worker %d ended, starting another", self.name, replica.process_id)
            self._keep(asyncio.get_running_loop().create_task(self._restart(replica)))

    async def _restart(self, dead: Replica) -> None:
        pause = _FIRST_PAUSE
        while not self._closing and dead in self._replicas:
            try:
                # another file at the path goes through the checks of a replacement, and takes the place of all
                if await self.replace():
                    return
                fresh = await Replica.start(self._load(verify=False))
            except (LinnetError, OSError) as error:
                _LOG.error("model %s: no worker could be started: %s", self.name, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if dead not in self._replicas:
                await fresh.stop()  # the file was replaced meanwhile
                return
            self._replicas[self._replicas.index(dead)] = fresh
            self._add(fresh)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- work ----------------------------------------------------------------------------------

    async def do(self, work: Work, kind: type[T], *, timeout: float) -> T:
        """Do one job; a job whose worker dies is given to another one once.

        Args:
            work: what to do.
            kind: class of its result.
            timeout: most seconds, waiting included.

        Raises:
            ServiceError: the queue is full, the time is over, or the work failed.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        for attempt in range(_ATTEMPTS):
            try:
                async with self._replica(deadline) as replica, asyncio.timeout_at(deadline):
                    return cast(T, await replica.do(work))
            except TimeoutError:
                raise timed_out(timeout) from None
            except WorkFailed as error:
                raise _service_error(error) from None
            except WorkerDied:
                if attempt + 1 == _ATTEMPTS:
                    raise unavailable("the worker process ended; the request was not answered") from None
        raise AssertionError("unreachable")

    async def generate(self, work: Generate, *, timeout: float) -> AsyncGenerator[Generated, None]:
        """Generate a text and yield what comes of it.

        Raises:
            ServiceError: the queue is full, the time is over, or the work failed.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        try:
            async with (
                self._replica(deadline) as replica,
                contextlib.aclosing(replica.generate(work, deadline)) as stream,
            ):
                async for message in stream:
                    if isinstance(message, Ended):
                        self._metrics.count("completions", model=self.name, finish=message.finish_reason)
                    yield message
        except TimeoutError:
            raise timed_out(timeout) from None
        except WorkFailed as error:
            raise _service_error(error) from None
        except WorkerDied:
            raise unavailable("the worker process ended in the middle of the text") from None

    @contextlib.asynccontextmanager
    async def _replica(self, deadline: float) -> AsyncIterator[Replica]:
        """Wait for a replica with a free place.

        Raises:
            ServiceError: the queue is full.
            TimeoutError: the time is over.
        """
        begun = time.perf_counter()
        replica = self._free_replica() if not self._waiting else None
        if replica is None:
            if len(self._waiting) >= self.settings.queue:
                await asyncio.sleep(_REFUSAL_SECONDS)
                raise overloaded(_RETRY_SECONDS)
            if self._closing:
                raise unavailable("the service is ending")
            replica = await self._next_place(deadline)
        else:
            self._taken[replica] += 1
        self._metrics.observe("queue_wait", time.perf_counter() - begun, model=self.name)
        try:
            yield replica
        finally:
            if replica in self._taken:
                self._taken[replica] -= 1
                self._dispatch()

    async def _next_place(self, deadline: float) -> Replica:
        future: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout_at(deadline):
                return await future
        except (asyncio.CancelledError, TimeoutError):
            if future.done() and not future.cancelled() and (given := future.result()) in self._taken:
                self._taken[given] -= 1  # it was given a place at the moment of its end
                self._dispatch()
            elif future in self._waiting:
                self._waiting.remove(future)
            raise

    def _free_replica(self) -> Replica | None:
        places = self.settings.generations if self.info.task == "text-generation" else _AHEAD
        free = [replica for replica in self._replicas if replica.alive and self._taken.get(replica, places) < places]
        return min(free, key=lambda replica: self._taken[replica], default=None)

    def _dispatch(self) -> None:
        while self._waiting and (replica := self._free_replica()) is not None:
            future = self._waiting.popleft()
            if not future.done():
                self._taken[replica] += 1
                future.set_result(replica)


def _service_error(error: WorkFailed) -> ServiceError:
    if error.caller:
        return invalid(str(error), code=snake_case(error.error))
    if error.error == "OutOfMemoryError" or error.error == "MemoryError":
        return unavailable("the model has no memory left for this request; send less text at once")
    return ServiceError(f"the model failed: {error.error}: {error}", http_status=500, code="internal_error")


def _identity(path: str | os.PathLike[str]) -> str:
    """Return what changes when a file is replaced: size, time, inode and the hash in its footer.

    Raises:
        LinnetError: the file cannot be read.
    """
    from linnet.errors import FileMissingError
    from linnet.format.footer import file_identity

    try:
        found = Path(path).stat()
        return f"{found.st_size} {found.st_mtime_ns} {found.st_ino} {file_identity(os.fspath(path))}"
    except OSError as error:
        raise FileMissingError(f"{path}: {error.strerror}") from error
