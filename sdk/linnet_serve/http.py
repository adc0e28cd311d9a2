"""HTTP layer of the service: routes with typed bodies, limits, disconnects, and error forms of the interfaces."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, TypeAlias

import msgspec
from starlette.types import Message, Receive, Scope, Send

from linnet.errors import LinnetError
from linnet.version import version
from linnet_serve.access.audit import AuditEntry
from linnet_serve.access.principal import ANONYMOUS, Principal
from linnet_serve.errors import ServiceError, invalid, too_large, unavailable
from linnet_serve.masking import RequestMask, Unmasking
from linnet_serve.models.hosting import HostedModel
from linnet_serve.receipts import Receipt, Witness, write_receipt
from linnet_serve.service import Service

__all__ = ["Endpoint", "ErrorForm", "Exchange", "Reply", "Route", "Stream", "json_reply", "write_json"]

_LOG = logging.getLogger("linnet.serve")
_ENCODER = msgspec.json.Encoder()
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

ErrorForm: TypeAlias = Callable[[ServiceError], Mapping[str, Any]]
"""Function that writes an error in the form of an interface."""


def write_json(value: Any) -> bytes:
    """Return a value as JSON."""
    return _ENCODER.encode(value)


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """An answer as a whole."""

    body: bytes
    status: int = 200
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Stream:
    """An answer in server-sent events; ``parts`` yields whole events."""

    parts: AsyncGenerator[bytes, None]
    content_type: bytes = b"text/event-stream; charset=utf-8"


def json_reply(value: Any, status: int = 200) -> Reply:
    """Return an answer with a value as JSON."""
    return Reply(_ENCODER.encode(value), status)


@dataclasses.dataclass(slots=True)
class Exchange:
    """One request and what is known of it; it lives until the end of its answer.

    Attributes:
        id: random name, in the header x-request-id.
        credentials: the headers authorization and x-api-key.
        principal: who sent it.
        body: decoded body, of the type of the route; None for a route without one.
        raw: the body as it came.
        body_bytes: bytes of the body that were read.
        path: parameters of the path.
        model: name of the model that answers.
        tokens: tokens that were read and written.
        error: code of the error, or empty.
        headers: further headers of the answer.
        witness: what was answered, for the receipt; None: the service gives none.
        mask: masking of the request, once it has begun.
    """

    service: Service
    route: Route
    id: str
    credentials: tuple[str, str] = ("", "")
    principal: Principal = ANONYMOUS
    body: Any = None
    raw: bytes = b""
    body_bytes: int = 0
    path: Mapping[str, str] = dataclasses.field(default_factory=dict)
    model: str = ""
    tokens: int = 0
    error: str = ""
    headers: list[tuple[bytes, bytes]] = dataclasses.field(default_factory=list)
    witness: Witness | None = None
    mask: RequestMask | None = None

    def testify(self, data: bytes) -> None:
        """Add a result of a job to the receipt, if the service gives receipts."""
        if self.witness is not None:
            self.witness.add(data)

    def receipt(self) -> bytes:
        """Return the receipt of what was answered, or nothing."""
        receipts, witness = self.service.receipts, self.witness
        if receipts is None or witness is None or not self.model:
            return b""
        info = self.service.models[self.model].info
        receipt = Receipt(
            request=self.id,
            time=time.time(),
            path=self.route.path.format(**self.path),
            model=self.model,
            file_sha256=info.file_sha256,
            kernels=info.kernels,
            linnet=version(),
            seed=witness.seed,
            input_hmac=receipts.hash(self.raw),
            output_hmac=witness.output(),
        )
        return write_receipt(receipts.signed(receipt))

    def authenticate(self) -> None:
        """Find out who sends the request.

        Raises:
            ServiceError: there is no valid key (401).
        """
        self.principal = self.service.gate.identify(*self.credentials)

    def hosted(self, name: str | None, *tasks: str) -> HostedModel:
        """Return a model that the request may use; see :meth:`Service.find`."""
        found = self.service.find(name, tasks, self.principal)
        self.model = found.name
        return found

    async def masked(self, texts: list[str], *, keep_places: bool = False) -> list[str]:
        """Return texts with personal data masked, if the service masks; see :meth:`RequestMask.mask`."""
        if self.service.masking is None:
            return texts
        if self.mask is None:
            self.mask = self.service.masking.request()
        return await self.mask.mask(texts, keep_places=keep_places)

    async def masked_value(self, value: Any, *, keep_places: bool) -> Any:
        """Return a value of JSON whose texts are masked, if the service masks."""
        if self.service.masking is None:
            return value
        texts = list(_texts_in(value))
        masked = iter(await self.masked(texts, keep_places=keep_places))
        return _with_texts(value, masked)

    def unmasked(self, value: Any) -> Any:
        """Return an answer in which the pseudonyms of the request are their values again."""
        return value if self.mask is None else self.mask.unmask(value)

    def unmasking(self) -> Unmasking:
        """Return the same for an answer that comes in pieces."""
        return Unmasking() if self.mask is None else self.mask.stream()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Route:
    """One path of an interface.

    Attributes:
        name: value of the label ``route`` in the metrics.
        method: of HTTP.
        path: with parameters as Starlette writes them, "/models/{name}".
        handle: function that answers.
        summary: one line for the OpenAPI document.
        tag: interface that it belongs to.
        form: how errors are written.
        body: type of the body; None: there is none.
        answer: type of the answer, for the OpenAPI document; None: not JSON.
        scope: scope that a key needs; empty: any key.
        open: no key is needed.
        streams: answers can be server-sent events.
    """

    name: str
    method: str
    path: str
    handle: Callable[[Exchange], Awaitable[Reply | Stream]]
    summary: str
    tag: str
    form: ErrorForm
    body: Any = None
    answer: Any = None
    scope: str = ""
    open: bool = False
    streams: bool = False


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


def _texts_in(value: Any) -> Iterator[str]:
    """Yield all texts of a value of JSON, names left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(item)


def _with_texts(value: Any, texts: Iterator[str]) -> Any:
    """Return a value with other texts, in the order of :func:`_texts_in`."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, list):
        return [_with_texts(item, texts) for item in value]
    return {name: _with_texts(item, texts) for name, item in value.items()} if isinstance(value, dict) else value


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
