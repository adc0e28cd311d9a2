"""What OpenAI's chat and completions share: options, streams of choices, and usage."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec

from linnet_serve.errors import invalid
from linnet_serve.exchange import Exchange, write_json
from linnet_serve.models.hosting import HostedModel
from linnet_serve.models.messages import Begun, Ended, Generate, Generated, Piece

__all__ = [
    "Choice",
    "CommonRequest",
    "StreamOptions",
    "Usage",
    "collect",
    "ending",
    "event",
    "generation_options",
    "pieces",
    "seeded",
    "usage_of",
]

_MOST_CHOICES = 8
_DONE = b"data: [DONE]\n\n"
_MOST_STOPS = 4
_SEEDS = 1 << 63
_DRAWN_SEEDS = 1 << 53  # every reader of JSON keeps them exactly


class StreamOptions(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Options of a stream: ``include_usage`` adds an event with the numbers of tokens."""

    include_usage: bool = False
    include_obfuscation: bool = False


class CommonRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Parameters of both interfaces. ``top_k``, ``min_p``, ``repetition_penalty`` and ``guided_*`` are those of vLLM.

    Attributes:
        model: name of the model.
        n: how many answers; answer i uses seed + i.
        user, metadata, store, service_tier: are not used.
    """

    model: str
    temperature: float | None = None
    top_p: float | None = None
    n: int = 1
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: str | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    guided_regex: str | None = None
    guided_choice: list[str] | None = None
    guided_json: dict[str, Any] | str | None = None


class Usage(msgspec.Struct):
    """Tokens of a request."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


@dataclasses.dataclass
class Choice:
    """One answer."""

    text: str = ""
    pieces: list[Piece] = dataclasses.field(default_factory=list)
    end: Ended | None = None

    @property
    def finish_reason(self) -> str:
        """Reason in OpenAI's words: a full context is a "length" too."""
        assert self.end is not None
        return "stop" if self.end.finish_reason == "stop" else "length"


def generation_options(exchange: Exchange, most: int) -> dict[str, Any]:
    """Return options of linnet for a request; a parameter without a value is left out.

    With receipts a seed is chosen, so that the answer can be repeated.

    Raises:
        ServiceError: a parameter is not supported or out of range (400).
    """
    body: CommonRequest = exchange.body
    if body.logit_bias:
        raise invalid("logit_bias is not supported", "logit_bias", "unsupported_parameter")
    if not 1 <= body.n <= _MOST_CHOICES:
        raise invalid(f"n is {body.n}, expected 1 to {_MOST_CHOICES}", "n")
    if body.stream_options is not None and not body.stream:
        raise invalid("stream_options needs stream", "stream_options")
    for name, least, highest in _RANGES:
        value = getattr(body, name)
        if value is not None and not least <= value <= highest:
            raise invalid(f"{name} is {value:g}, expected {least:g} to {highest:g}", name)
    stops = [body.stop] if isinstance(body.stop, str) else list(body.stop or ())
    if len(stops) > _MOST_STOPS or "" in stops:
        raise invalid(f"stop has {len(stops)} texts, expected at most {_MOST_STOPS} that are not empty", "stop")
    given = {
        "max_new_tokens": most,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "min_p": body.min_p,
        "repetition_penalty": body.repetition_penalty,
        "presence_penalty": body.presence_penalty,
        "frequency_penalty": body.frequency_penalty,
        "seed": _seed(exchange, body.seed),
        "stop_strings": stops or None,
        "regex": body.guided_regex,
        "choices": body.guided_choice,
        "json_schema": body.guided_json,
    }
    return {name: value for name, value in given.items() if value is not None}


def _seed(exchange: Exchange, given: int | None) -> int | None:
    if exchange.witness is None:
        return None if given is None else given % _SEEDS
    seed = secrets.randbelow(_DRAWN_SEEDS) if given is None else given
    exchange.witness.seed = seed
    return seed % _SEEDS


_RANGES = (
    ("temperature", 0.0, 2.0),
    ("top_p", 0.0, 1.0),
    ("min_p", 0.0, 1.0),
    ("presence_penalty", -2.0, 2.0),
    ("frequency_penalty", -2.0, 2.0),
    ("repetition_penalty", 0.01, 100.0),
    ("top_k", 0, 2**31 - 1),
)


def seeded(options: dict[str, Any], answers: int) -> list[dict[str, Any]]:
    """Return the options of several answers: answer i has the seed plus i, if there is one."""
    if "seed" not in options:
        return [options] * answers
    return [{**options, "seed": options["seed"] + number} for number in range(answers)]


async def pieces(
    exchange: Exchange, model: HostedModel, works: Sequence[Generate]
) -> AsyncGenerator[tuple[int, Piece | Ended], None]:
    """Yield the pieces and ends of several generations, with the number of each, as they come.

    Raises:
        ServiceError: the first error of any; the others are cancelled.
    """
    if len(works) == 1:
        async with contextlib.aclosing(model.generate(works[0], timeout=model.settings.timeout)) as stream:
            async for message in stream:
                _charge(exchange, message)
                if not isinstance(message, Begun):
                    _testify(exchange, [message])
                    yield 0, message
        return
    made: list[list[Piece | Ended]] = [[] for _ in works]
    arrived: asyncio.Queue[tuple[int, Piece | Ended] | BaseException] = asyncio.Queue()
    tasks = [asyncio.ensure_future(_feed(exchange, index, model, work, arrived)) for index, work in enumerate(works)]
    try:
        left = len(works)
        while left:
            item = await arrived.get()
            if isinstance(item, BaseException):
                raise item
            index, message = item
            left -= isinstance(message, Ended)
            made[index].append(message)
            yield index, message
        for listed in made:  # in the order of the answers, so that the receipt does not tell which came first
            _testify(exchange, listed)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _feed(
    exchange: Exchange, index: int, model: HostedModel, work: Generate, arrived: asyncio.Queue[Any]
) -> None:
    try:
        async with contextlib.aclosing(model.generate(work, timeout=model.settings.timeout)) as stream:
            async for message in stream:
                _charge(exchange, message)
                if not isinstance(message, Begun):
                    arrived.put_nowait((index, message))
    except Exception as error:  # noqa: BLE001  raised by the reader of the queue
        arrived.put_nowait(error)


def _charge(exchange: Exchange, message: Generated) -> None:
    """Count the tokens of a generation as they come, since the client may leave before its end."""
    if isinstance(message, Begun):
        exchange.tokens += message.prompt_tokens
    elif isinstance(message, Piece):
        exchange.tokens += message.id >= 0


def _testify(exchange: Exchange, messages: Sequence[Piece | Ended]) -> None:
    """Add the token ids of a generation to the receipt."""
    for message in messages:
        if isinstance(message, Ended):
            exchange.testify(message.finish_reason.encode())
        elif message.id >= 0:
            exchange.testify(message.id.to_bytes(4, "little"))


async def collect(exchange: Exchange, model: HostedModel, works: Sequence[Generate]) -> list[Choice]:
    """Wait for whole answers."""
    choices = [Choice() for _ in works]
    stream = pieces(exchange, model, works)
    async with contextlib.aclosing(stream):
        async for index, message in stream:
            if isinstance(message, Ended):
                choices[index].end = message
            else:
                choices[index].pieces.append(message)
    for choice in choices:
        choice.text = "".join(piece.text for piece in choice.pieces)
    return choices


def usage_of(ends: Sequence[Ended]) -> Usage:
    """Return the tokens of all answers; the prompt counts once, as OpenAI counts it."""
    prompt = max(end.prompt_tokens for end in ends)
    completion = sum(end.completion_tokens for end in ends)
    return Usage(prompt, completion, prompt + completion)


def ending(exchange: Exchange) -> bytes:
    """Return the end of a stream: its receipt as a comment, if there is one, and the last event."""
    receipt = exchange.receipt()
    return (b": receipt " + receipt + b"\n\n" if receipt else b"") + _DONE


def event(value: Any) -> bytes:
    """Return a value as a server-sent event."""
    return b"data: " + write_json(value) + b"\n\n"
