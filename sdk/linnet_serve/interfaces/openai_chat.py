"""OpenAI's /v1/chat/completions."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec

from linnet_serve.errors import invalid
from linnet_serve.exchange import Exchange, Reply, Route, Stream, json_reply
from linnet_serve.interfaces.conversation import ChatMessage, Tool, ToolCall, messages_of
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
from linnet_serve.interfaces.tool_calls import ToolPlan, plan_tools
from linnet_serve.models.hosting import HostedModel
from linnet_serve.models.messages import Ended, Generate, Piece

__all__ = ["ROUTES"]

_MOST_LOGPROBS = 20


class JsonSchema(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A schema with its name."""

    name: str
    schema: dict[str, Any] = {}
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Form of the answer: text, json_object or json_schema."""

    type: str
    json_schema: JsonSchema | None = None


class ChatRequest(CommonRequest, frozen=True, kw_only=True):
    """A request for the next message of a conversation.

    Attributes:
        max_completion_tokens, max_tokens: most tokens of the answer; without them, what fits into the context.
        logprobs, top_logprobs: log probabilities of the tokens, and of the likeliest ones at each place.
        response_format: JSON of a schema.
        tools, tool_choice: functions that the model may call. A required call is JSON of the function's schema.
        parallel_tool_calls: one call is made in any case.
    """

    messages: list[ChatMessage]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    response_format: ResponseFormat | None = None
    tools: list[Tool] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None


class TopLogprob(msgspec.Struct):
    """A likely token."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenLogprob(msgspec.Struct):
    """A token of the answer."""

    token: str
    logprob: float
    bytes: list[int] | None
    top_logprobs: list[TopLogprob]


class ChatLogprobs(msgspec.Struct):
    """Log probabilities of an answer."""

    content: list[TokenLogprob]


class AnswerMessage(msgspec.Struct, omit_defaults=True):
    """The answer."""

    role: str
    content: str | None
    tool_calls: list[ToolCall] | None = None


class ChatChoice(msgspec.Struct):
    """One answer."""

    index: int
    message: AnswerMessage
    finish_reason: str
    logprobs: ChatLogprobs | None = None


class ChatAnswer(msgspec.Struct):
    """All answers."""

    id: str
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage
    object: str = "chat.completion"


async def chat(exchange: Exchange) -> Reply | Stream:
    """Answer a conversation."""
    body: ChatRequest = exchange.body
    model = exchange.hosted(body.model, "text-generation")
    plan = plan_tools(body.tools, body.tool_choice)
    works = await _works(exchange, model, body, plan)
    if body.stream and not plan.tools:
        return Stream(_events(exchange, model, works))
    choices = await collect(exchange, model, works)
    ends = [choice.end for choice in choices if choice.end is not None]
    listed = [_choice(exchange, index, choice, plan) for index, choice in enumerate(choices)]
    if body.stream:
        return Stream(_events_of_whole(exchange, listed, usage_of(ends)))
    return json_reply(ChatAnswer(f"chatcmpl-{exchange.id}", int(time.time()), body.model, listed, usage_of(ends)))


async def _works(exchange: Exchange, model: HostedModel, body: ChatRequest, plan: ToolPlan) -> list[Generate]:
    if not model.info.chat:
        raise invalid("the model has no chat template; use /v1/completions", "model")
    if body.top_logprobs is not None and (not body.logprobs or not 0 <= body.top_logprobs <= _MOST_LOGPROBS):
        raise invalid(f"top_logprobs needs logprobs, and is 0 to {_MOST_LOGPROBS}", "top_logprobs")
    options = generation_options(exchange, _most_tokens(model, body))
    options.update(_form(body.response_format, plan))
    messages = messages_of(body.messages, plan.instructions)
    texts = await exchange.masked([message["content"] for message in messages])
    prompt = [{"role": message["role"], "content": text} for message, text in zip(messages, texts, strict=True)]
    top = body.top_logprobs or 0
    return [Generate(prompt, each, body.logprobs, top, plan.prefix) for each in seeded(options, body.n)]


def _most_tokens(model: HostedModel, body: ChatRequest) -> int:
    given = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    if given is None:
        return model.settings.context or model.info.context
    if given < 1:
        raise invalid(f"max_tokens is {given}, expected at least 1", "max_tokens")
    return given


def _form(wanted: ResponseFormat | None, plan: ToolPlan) -> dict[str, Any]:
    """Return the constraint of an answer."""
    if plan.schema is not None:
        return {"json_schema": plan.schema}
    if wanted is None or wanted.type == "text":
        return {}
    if wanted.type == "json_object":
        return {"json_schema": {"type": "object"}}
    if wanted.type != "json_schema" or wanted.json_schema is None:
        raise invalid("response_format has the type text, json_object, or json_schema with a schema", "response_format")
    return {"json_schema": wanted.json_schema.schema}


def _choice(exchange: Exchange, index: int, choice: Choice, plan: ToolPlan) -> ChatChoice:
    logprobs = ChatLogprobs(_logprobs(choice.pieces)) if exchange.body.logprobs else None
    calls = plan.calls(choice.text, exchange.unmasked)
    if calls:
        return ChatChoice(index, AnswerMessage("assistant", None, calls), "tool_calls", logprobs)
    text = exchange.unmasked(choice.text)
    return ChatChoice(index, AnswerMessage("assistant", text), choice.finish_reason, logprobs)


def _logprobs(listed: Sequence[Piece]) -> list[TokenLogprob]:
    return [
        TokenLogprob(
            piece.token,
            piece.log_probability,
            list(piece.token.encode()),
            [TopLogprob(top.text, top.log_probability, list(top.text.encode())) for top in piece.top],
        )
        for piece in listed
        if piece.id >= 0
    ]


class _Chunks:
    """Events of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        self._head = {
            "id": f"chatcmpl-{exchange.id}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": exchange.body.model,
        }
        self._exchange = exchange
        body: ChatRequest = exchange.body
        self._usage = body.stream_options is not None and body.stream_options.include_usage

    def choice(
        self, index: int, delta: dict[str, Any], finish: str | None = None, logprobs: ChatLogprobs | None = None
    ) -> bytes:
        """Return an event with a change of one answer."""
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        usage = {"usage": None} if self._usage else {}
        return event({**self._head, "choices": [choice], **usage})

    def end(self, usage: Usage) -> bytes:
        """Return the last events."""
        return (event({**self._head, "choices": [], "usage": usage}) if self._usage else b"") + ending(self._exchange)


async def _events(exchange: Exchange, model: HostedModel, works: list[Generate]) -> AsyncGenerator[bytes, None]:
    chunks, ends, begun = _Chunks(exchange), [], set()
    with_logprobs = exchange.body.logprobs
    unmask = [exchange.unmasking() for _ in works]
    async with contextlib.aclosing(pieces(exchange, model, works)) as stream:
        async for index, message in stream:
            if index not in begun:
                begun.add(index)
                yield chunks.choice(index, {"role": "assistant", "content": ""})
            if isinstance(message, Ended):
                ends.append(message)
                if rest := unmask[index].finish():
                    yield chunks.choice(index, {"content": rest})
                yield chunks.choice(index, {}, Choice(end=message).finish_reason)
            elif (text := unmask[index].push(message.text)) or with_logprobs:
                logprobs = ChatLogprobs(_logprobs([message])) if with_logprobs else None
                yield chunks.choice(index, {"content": text}, None, logprobs)
    yield chunks.end(usage_of(ends))


async def _events_of_whole(exchange: Exchange, choices: list[ChatChoice], usage: Usage) -> AsyncGenerator[bytes, None]:
    """Stream answers that had to be complete before it was known whether they call a tool."""
    chunks = _Chunks(exchange)
    for choice in choices:
        yield chunks.choice(choice.index, {"role": "assistant", "content": choice.message.content and ""})
        calls = choice.message.tool_calls
        if calls is None:
            yield chunks.choice(choice.index, {"content": choice.message.content}, None, choice.logprobs)
        else:
            listed = [{"index": number, **msgspec.to_builtins(call)} for number, call in enumerate(calls)]
            yield chunks.choice(choice.index, {"tool_calls": listed}, None, choice.logprobs)
        yield chunks.choice(choice.index, {}, choice.finish_reason)
    yield chunks.end(usage)


ROUTES = (
    Route(
        name="chat",
        method="POST",
        path="/v1/chat/completions",
        handle=chat,
        summary="Answer a conversation",
        tag="OpenAI",
        form=openai_error,
        body=ChatRequest,
        answer=ChatAnswer,
        scope="generate",
        streams=True,
    ),
)
