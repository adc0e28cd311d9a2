"""Messages of OpenAI's chat as messages of a chat template."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from linnet_serve.errors import invalid

__all__ = ["ChatMessage", "Function", "FunctionCall", "Tool", "ToolCall", "messages_of"]


class FunctionCall(msgspec.Struct, forbid_unknown_fields=True):
    """A function with its arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, forbid_unknown_fields=True):
    """A call of a tool."""

    id: str
    function: FunctionCall
    type: str = "function"


class Function(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A function that can be called; ``parameters`` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = None


class Tool(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A tool."""

    function: Function
    type: str = "function"


class ChatMessage(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One message.

    Attributes:
        role: system, developer (the same), user, assistant or tool.
        content: a text, or parts of the type "text".
        tool_calls: calls of an assistant's message.
        tool_call_id: the call that a tool's message answers.
        name, refusal: are not used.
    """

    role: str
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None


_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "user"}


def messages_of(messages: list[ChatMessage], instructions: str) -> list[dict[str, str]]:
    """Return messages for a chat template.

    Args:
        messages: of the request, at least one.
        instructions: text about tools; it becomes a part of the system message.

    Raises:
        ServiceError: a role is unknown, or a content is not a text (400).
    """
    if not messages:
        raise invalid("messages is empty, expected at least one", "messages")
    read = [_message(message, index) for index, message in enumerate(messages)]
    if not instructions:
        return read
    if read[0]["role"] == "system":
        return [{"role": "system", "content": f"{read[0]['content']}\n\n{instructions}"}, *read[1:]]
    return [{"role": "system", "content": instructions}, *read]


def _message(message: ChatMessage, index: int) -> dict[str, str]:
    role = _ROLES.get(message.role)
    if role is None:
        known = ", ".join(_ROLES)
        raise invalid(f"messages[{index}] has the role {message.role!r}, expected one of {known}", "messages")
    text = _text(message.content, index)
    if message.role == "tool":
        text = f"<tool_response>\n{text}\n</tool_response>"
    for call in message.tool_calls or ():
        text += f"<tool_call>\n{_written(call, index)}\n</tool_call>"
    return {"role": role, "content": text}


def _written(call: ToolCall, index: int) -> str:
    try:
        arguments = json.loads(call.function.arguments)
    except (ValueError, RecursionError):
        raise invalid(f"messages[{index}] has a tool call whose arguments are no JSON", "messages") from None
    return json.dumps({"name": call.function.name, "arguments": arguments}, ensure_ascii=False)


def _text(content: str | list[dict[str, Any]] | None, index: int) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    parts = []
    for part in content:
        if part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise invalid(f"messages[{index}] has a part that is not a text, expected texts alone", "messages")
        parts.append(part["text"])
    return "".join(parts)
