"""One request of the service and its answer: routes with typed bodies, masking, receipts, and forms of errors."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from linnet.version import version
from linnet_serve.access.principal import ANONYMOUS, Principal
from linnet_serve.errors import ServiceError
from linnet_serve.masking import RequestMask, Unmasking
from linnet_serve.models.hosting import HostedModel
from linnet_serve.receipts import Receipt, Witness, write_receipt
from linnet_serve.service import Service

__all__ = ["ErrorForm", "Exchange", "Reply", "Route", "Stream", "json_reply", "write_json"]

_ENCODER = msgspec.json.Encoder()

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
