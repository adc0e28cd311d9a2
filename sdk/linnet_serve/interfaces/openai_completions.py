"""OpenAI's /v1/completions."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Sequence

import msgspec

from linnet_serve.errors import invalid
from linnet_serve.exchange import Exchange, Reply, Route, Stream, json_reply
from linnet_serve.interfaces.forms import openai_error
from linnet_serve.interfaces.generating import (
    Choice,
    CommonRequest,
    Usage,
    collect,
    ending,
    event,
    generation_options,
    pieces,
    seeded,
    usage_of,
)
from linnet_serve.models.hosting import HostedModel
from linnet_serve.models.messages import Ended, Generate, Piece
from linnet_serve.models.sharing import check_texts

__all__ = ["ROUTES"]

_MOST_LOGPROBS = 5


class CompletionsRequest(CommonRequest, frozen=True, kw_only=True):
    """A request to continue texts.

    Attributes:
        prompt: a text or a list of texts.
        max_tokens: most tokens of each answer.
        echo: the prompt comes first.
        logprobs: this many likeliest tokens at each place, with their log probabilities.
        best_of: 1.
        suffix: not supported.
    """

    prompt: str | list[str]
    max_tokens: int = 16
    echo: bool = False
    logprobs: int | None = None
    best_of: int | None = None
    suffix: str | None = None


class CompletionLogprobs(msgspec.Struct):
    """Log probabilities of the tokens of an answer."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class CompletionChoice(msgspec.Struct):
    """One answer."""

    index: int
    text: str
    finish_reason: str | None
    logprobs: CompletionLogprobs | None = None


class CompletionsAnswer(msgspec.Struct, omit_defaults=True):
    """Answers to all prompts."""

    id: str
    object: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None = None


async def completions(exchange: Exchange) -> Reply | Stream:
    """Continue texts."""
    body: CompletionsRequest = exchange.body
    model = exchange.hosted(body.model, "text-generation")
    works, prompts = await _works(exchange, body)
    if body.stream:
        return Stream(_events(exchange, model, works, prompts))
    choices = await collect(exchange, model, works)
    listed = [_choice(exchange, index, choice, prompts[index]) for index, choice in enumerate(choices)]
    ends = [choice.end for choice in choices if choice.end is not None]
    return json_reply(_answer(exchange, listed, _usage(ends, body)))


async def _works(exchange: Exchange, body: CompletionsRequest) -> tuple[list[Generate], list[str]]:
    """Return one generation for each prompt and answer, and its prompt."""
    for name in ("suffix", "best_of"):
        if getattr(body, name) not in (None, 1):
            raise invalid(f"{name} is not supported", name, "unsupported_parameter")
    if body.max_tokens < 0:
        raise invalid(f"max_tokens is {body.max_tokens}, expected at least 0", "max_tokens")
    if body.logprobs is not None and not 0 <= body.logprobs <= _MOST_LOGPROBS:
        raise invalid(f"logprobs is {body.logprobs}, expected 0 to {_MOST_LOGPROBS}", "logprobs")
    given = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    check_texts(len(given) * body.n, exchange.service.settings.limits.texts, "prompt")
    options = generation_options(exchange, body.max_tokens)
    works, prompts = [], []
    for prompt, original in zip(await exchange.masked(given), given, strict=True):
        for each in seeded(options, body.n):
            works.append(Generate(prompt, each, body.logprobs is not None, body.logprobs or 0))
            prompts.append(original)
    return works, prompts


def _choice(exchange: Exchange, index: int, choice: Choice, prompt: str) -> CompletionChoice:
    body: CompletionsRequest = exchange.body
    before = prompt if body.echo else ""
    logprobs = None if body.logprobs is None else _logprobs(choice.pieces, len(before))
    return CompletionChoice(index, before + exchange.unmasked(choice.text), choice.finish_reason, logprobs)


def _logprobs(listed: Sequence[Piece], at: int) -> CompletionLogprobs:
    shown = CompletionLogprobs([], [], [], [])
    for piece in listed:
        if piece.id >= 0:
            shown.tokens.append(piece.token)
            shown.token_logprobs.append(piece.log_probability)
            shown.top_logprobs.append({top.text: top.log_probability for top in piece.top})
            shown.text_offset.append(at)
        at += len(piece.text)
    return shown


def _usage(ends: Sequence[Ended], body: CompletionsRequest) -> Usage:
    """Return the tokens of all prompts, each once, and of all answers."""
    parts = [usage_of(ends[at : at + body.n]) for at in range(0, len(ends), body.n)]
    prompt, completion = sum(part.prompt_tokens for part in parts), sum(part.completion_tokens for part in parts)
    return Usage(prompt, completion, prompt + completion)


def _answer(exchange: Exchange, choices: list[CompletionChoice], usage: Usage | None) -> CompletionsAnswer:
    return CompletionsAnswer(
        id=f"cmpl-{exchange.id}",
        object="text_completion",
        created=int(time.time()),
        model=exchange.body.model,
        choices=choices,
        usage=usage,
    )


async def _events(
    exchange: Exchange, model: HostedModel, works: list[Generate], prompts: list[str]
) -> AsyncGenerator[bytes, None]:
    body: CompletionsRequest = exchange.body
    ends: dict[int, Ended] = {}
    begun: set[int] = set()
    unmask = [exchange.unmasking() for _ in works]
    async with contextlib.aclosing(pieces(exchange, model, works)) as stream:
        async for index, message in stream:
            if body.echo and index not in begun:
                yield event(_answer(exchange, [CompletionChoice(index, prompts[index], None)], None))
            begun.add(index)
            if isinstance(message, Ended):
                ends[index] = message
                if rest := unmask[index].finish():
                    yield event(_answer(exchange, [CompletionChoice(index, rest, None)], None))
                yield event(_answer(exchange, [CompletionChoice(index, "", Choice(end=message).finish_reason)], None))
            elif (text := unmask[index].push(message.text)) or body.logprobs is not None:
                logprobs = None if body.logprobs is None else _logprobs([message], 0)
                yield event(_answer(exchange, [CompletionChoice(index, text, None, logprobs)], None))
    if body.stream_options is not None and body.stream_options.include_usage:
        yield event(_answer(exchange, [], _usage([ends[index] for index in sorted(ends)], body)))
    yield ending(exchange)


ROUTES = (
    Route(
        name="completions",
        method="POST",
        path="/v1/completions",
        handle=completions,
        summary="Continue texts",
        tag="OpenAI",
        form=openai_error,
        body=CompletionsRequest,
        answer=CompletionsAnswer,
        scope="generate",
        streams=True,
    ),
)
