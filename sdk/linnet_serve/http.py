"""HTTP layer of the service: one request from its headers to the end of its answer, with limits and disconnects."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from types import TracebackType
from typing import Any

import msgspec
from starlette.types import Message, Receive, Scope, Send

from linnet.errors import LinnetError
from linnet_serve.access.audit import AuditEntry
from linnet_serve.errors import ServiceError, invalid, too_large, unavailable
from linnet_serve.exchange import Exchange, Reply, Route, Stream, write_json
from linnet_serve.service import Service

__all__ = ["Endpoint"]

_LOG = logging.getLogger("linnet.serve")
_WATCH_AFTER = 0.05  # seconds
_BUFFERED_BYTES = 32768  # half of what uvicorn buffers before it waits for the client
_CLIENT_GONE = 499  # as nginx writes it: the client has gone before there was a status
_REFUSALS = {
    "overloaded": "queue_full",
    "request_too_large": "too_large",
    "quota_exceeded": "quota",
    "invalid_api_key": "unauthorized",
    "forbidden": "forbidden",
    "timeout": "timeout",
    "unavailable": "draining",
    "client_gone": "cancelled",
    "invalid_request": "invalid",
    "invalid_json": "invalid",
    "unsupported_parameter": "invalid",
}


class Endpoint:
    """ASGI application of one route."""

    def __init__(self, service: Service, route: Route) -> None:
        """Prepare the decoder of the route's body."""
        self._service, self._route = service, route
        self._decoder = None if route.body is None else msgspec.json.Decoder(route.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and note how that went."""
        exchange = Exchange(self._service, self._route, secrets.token_hex(8), path=scope["path_params"])
        begun = time.perf_counter()
        writer = _Writer(exchange, send, self._service.settings.limits.slow)
        try:
            await self._answer(exchange, scope, receive, writer)
        except ServiceError as error:
            await self._refuse(exchange, writer, error)
        except _Gone:
            exchange.error = "client_gone"
        except LinnetError as error:
            await self._refuse(exchange, writer, _internal(error))
        except Exception as error:  # noqa: BLE001  any defect is one 500, with the place in the log and no text
            _LOG.error("request %s: %s in %s", exchange.id, type(error).__name__, _place(error))
            await self._refuse(exchange, writer, _internal(error))
        finally:
            self._service.body_bytes -= exchange.body_bytes
            self._note(exchange, writer.status, time.perf_counter() - begun)

    async def _answer(self, exchange: Exchange, scope: Scope, receive: Receive, writer: _Writer) -> None:
        service, route = self._service, self._route
        headers = _headers(scope)
        exchange.credentials = headers[:2]
        if not route.open:
            exchange.authenticate()
            exchange.principal.require(route.scope, None)
            service.gate.quotas.admit(exchange.principal)
        if service.ending and not route.open:
            raise unavailable("the service is ending")
        if self._decoder is not None:
            exchange.raw = await self._read(exchange, receive, headers[2])
            exchange.body = _decoded(self._decoder, exchange.raw)
            exchange.witness = None if service.receipts is None else service.receipts.witness()
        with _Watch(receive):
            await self._handled(exchange, writer)

    def _note(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Count the request, charge quotas, and write the audit log."""
        service = self._service
        metrics, route = service.metrics, exchange.route.name
        metrics.count("requests", route=route, status=str(status or _CLIENT_GONE))
        metrics.observe("request", seconds, route=route)
        if exchange.error in _REFUSALS:
            metrics.count("refusals", refusal=_REFUSALS[exchange.error])
        if exchange.tokens:
            service.gate.quotas.charge(exchange.principal, exchange.tokens)
        if service.audit is not None and not exchange.route.open:
            entry = AuditEntry(
                time=time.time(),
                request=exchange.id,
                key=exchange.principal.id,
                route=exchange.route.path,
                model=exchange.model,
                status=status,
                error=exchange.error,
                seconds=round(seconds, 6),
                tokens=exchange.tokens,
            )
            service.audit.write(entry)

    async def _handled(self, exchange: Exchange, writer: _Writer) -> None:
        result = await self._route.handle(exchange)
        if isinstance(result, Reply):
            if receipt := exchange.receipt():
                exchange.headers.append((b"x-linnet-receipt", receipt))
            await writer.whole(result)
        else:
            await writer.parts(result)

    async def _read(self, exchange: Exchange, receive: Receive, length: str) -> bytes:
        """Read the body, whose bytes count for the service until the end of the exchange.

        Raises:
            ServiceError: it is over the limit (413), comes too slowly (408), or too many others are held (503).
        """
        service, limits = self._service, self._service.settings.limits
        most = limits.body_bytes
        if length.isdecimal() and int(length) > most:
            raise too_large(f"the body has {length} bytes, expected at most {most}")
        parts, size = [], 0
        while True:
            try:
                async with asyncio.timeout(limits.slow):
                    message = await receive()
            except TimeoutError:
                raise ServiceError("the body came too slowly", http_status=408, code="timeout") from None
            if message["type"] == "http.disconnect":
                raise _Gone
            part = message.get("body", b"")
            size += len(part)
            service.body_bytes += len(part)
            exchange.body_bytes += len(part)
            if service.body_bytes > limits.bodies_bytes:
                raise unavailable("the service holds as many bodies as it may; try again later")
            if size > most:
                raise too_large(f"the body has more than {most} bytes")
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _refuse(self, exchange: Exchange, writer: _Writer, error: ServiceError) -> None:
        exchange.error = error.code
        headers: list[tuple[bytes, bytes]] = []
        if error.retry_after is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after + 0.5))))
        if error.http_status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if error.http_status == 413:
            headers.append((b"connection", b"close"))  # the rest of the body is not read
        body = write_json(self._route.form(error))
        try:
            await writer.failed(Reply(body, error.http_status, headers=tuple(headers)))
        except _Gone:
            exchange.error = "client_gone"


class _Gone(Exception):
    """The client has closed the connection, or does not read."""


class _Writer:
    """Sends one answer."""

    def __init__(self, exchange: Exchange, send: Send, seconds: float) -> None:
        self._exchange, self._send, self._seconds = exchange, send, seconds
        self.status = 0

    async def whole(self, reply: Reply) -> None:
        """Send an answer as a whole."""
        await self._start(reply.status, reply.content_type, reply.headers, len(reply.body))
        await self._put({"type": "http.response.body", "body": reply.body})

    async def parts(self, stream: Stream) -> None:
        """Send an answer in parts; an error before the first one becomes an answer of its own."""
        try:
            async for part in stream.parts:
                if not self.status:
                    await self._start(200, stream.content_type, ((b"cache-control", b"no-store"),), None)
                await self._put({"type": "http.response.body", "body": part, "more_body": True})
            await self._put({"type": "http.response.body", "body": b""})
        finally:
            await stream.parts.aclose()

    async def failed(self, reply: Reply) -> None:
        """Send an error; one in the middle of a stream is its last event."""
        if not self.status:
            await self.whole(reply)
            return
        await self._put({"type": "http.response.body", "body": b"data: " + reply.body + b"\n\n", "more_body": True})
        await self._put({"type": "http.response.body", "body": b""})

    async def _start(
        self, status: int, content_type: bytes, headers: tuple[tuple[bytes, bytes], ...], length: int | None
    ) -> None:
        self.status = status
        listed = [(b"content-type", content_type), (b"x-request-id", self._exchange.id.encode())]
        if length is not None:
            listed.append((b"content-length", b"%d" % length))
        listed += [*headers, *self._exchange.headers]
        await self._put({"type": "http.response.start", "status": status, "headers": listed})

    async def _put(self, message: Message) -> None:
        try:
            if not message.get("more_body") and len(message.get("body", b"")) < _BUFFERED_BYTES:
                await self._send(message)  # goes into the buffer of the connection without waiting
                return
            async with asyncio.timeout(self._seconds):
                await self._send(message)
        except (TimeoutError, OSError):
            raise _Gone from None


class _Watch:
    """Watch of a connection while a request is worked on: its end cancels the task.

    It begins after a moment, since most answers are there by then, and a task for each would cost them time.
    """

    def __init__(self, receive: Receive) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._receive, self._gone = task, receive, False
        self._watch: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_WATCH_AFTER, self._begin)

    def _begin(self) -> None:
        self._watch = asyncio.get_running_loop().create_task(self._disconnect())

    async def _disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()

    def __enter__(self) -> None:
        """Begin to watch."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if kind is asyncio.CancelledError and self._gone:
            self._task.uncancel()
            raise _Gone


def _headers(scope: Scope) -> tuple[str, str, str]:
    """Return the headers authorization, x-api-key and content-length."""
    authorization, key, length = "", "", ""
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value.decode("latin-1")
        elif name == b"x-api-key":
            key = value.decode("latin-1")
        elif name == b"content-length":
            length = value.decode("latin-1")
    return authorization, key, length


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    """Decode a body.

    Raises:
        ServiceError: it is no JSON, or has another form (400).
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        message = str(error)
        unknown = re.search(r"unknown field `([^`]*)`", message)
        place = re.search(r"at `\$\.?([^`]*)`", message)
        if unknown:
            name = ".".join(filter(None, (place[1] if place else "", unknown[1])))
            raise invalid(f"the parameter {name!r} is not supported here", name, "unsupported_parameter") from None
        raise invalid(message, place[1] if place and place[1] else None) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"expected a body of JSON: {error}", code="invalid_json") from None


def _internal(error: Exception) -> ServiceError:
    return ServiceError(
        f"the service failed ({type(error).__name__}); its log says where", http_status=500, code="internal_error"
    )


def _place(error: BaseException) -> str:
    """Return file and line of an error; never its message, which could quote a text."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " ".join(frames[-3:])
