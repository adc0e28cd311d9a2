"""Server process: sockets, TLS, limits of connections, signals and draining."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from linnet.errors import InvalidArgumentError
from linnet_serve.app import make_app
from linnet_serve.connection import limited_protocol
from linnet_serve.service import Service
from linnet_serve.settings import Settings
from linnet_serve.watching import watching

__all__ = ["run_service"]

_LOG = logging.getLogger("linnet.serve")
_BACKLOG = 2048


async def run_service(settings: Settings, listening: Callable[[Service, str], None]) -> None:
    """Open the models, listen, and serve until a signal ends it.

    Args:
        settings: of the service.
        listening: is called with the service and its address when requests are taken.

    Raises:
        LinnetError, OSError: a file was refused, or the address cannot be used.
    """
    service = Service(settings)
    with _listener(settings) as (listener, address):
        await service.start()
        config = uvicorn.Config(
            make_app(service),
            http=limited_protocol(settings.limits),
            ws="none",
            loop="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            limit_concurrency=settings.limits.connections,
            timeout_keep_alive=max(1, round(settings.limits.idle)),
            timeout_graceful_shutdown=max(1, round(settings.limits.drain)),
            ssl_certfile=settings.certificate or None,
            ssl_keyfile=settings.private_key or None,
        )
        loop = asyncio.get_running_loop()
        reloads: set[asyncio.Task[None]] = set()  # the loop itself keeps no task alive

        def reload() -> None:
            task = loop.create_task(_reload(service))
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        server = _Server(config, service, lambda: listening(service, address))
        try:
            async with watching(service, address):
                await server.serve([listener])
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            if not server.started:
                await service.close()


async def _reload(service: Service) -> None:
    for name, outcome in (await service.reload()).items():
        level = logging.ERROR if outcome.startswith("refused") else logging.INFO
        _LOG.log(level, "model %s: %s", name, outcome)


class _Server(uvicorn.Server):
    """Server that tells when it listens, and when it begins to end."""

    def __init__(self, config: uvicorn.Config, service: Service, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._service, self._listening = service, listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to take requests."""
        await super().startup(sockets)
        if self.started:
            self._listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGINT and SIGTERM; unlike uvicorn, do not raise them again at the end, which would end the process
        before it has cleaned up.
        """
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End after a signal: what runs is finished, what comes gets 503."""
        self._service.ending = True
        super().handle_exit(sig, frame)


@contextlib.contextmanager
def _listener(settings: Settings) -> Iterator[tuple[socket.socket, str]]:
    """Open the socket to listen at; yield it and its address.

    Raises:
        InvalidArgumentError: the address is taken or cannot be used.
    """
    if settings.socket:
        path = Path(settings.socket)
        with _unix_socket(path) as listener:
            yield listener, f"unix:{path}"
        return
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise InvalidArgumentError(f"cannot listen at {settings.host}:{settings.port}: {error.strerror}") from error
    with listener:
        scheme = "https" if settings.certificate else "http"
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield listener, f"{scheme}://{host}:{listener.getsockname()[1]}"


@contextlib.contextmanager
def _unix_socket(path: Path) -> Iterator[socket.socket]:
    """Open a Unix socket for the owner and the group; a dead one in its place is removed."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise InvalidArgumentError(f"{path} exists and is no socket; remove it or choose another path")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise InvalidArgumentError(f"another process listens at {path}")
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o117)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise InvalidArgumentError(f"cannot listen at {path}: {error.strerror}") from error
    finally:
        os.umask(before)
    try:
        with listener:
            listener.listen(_BACKLOG)
            yield listener
    finally:
        path.unlink(missing_ok=True)
