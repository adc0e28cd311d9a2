"""Calls of tools: what a model is told about them, the schema of a required call, and calls in its answer."""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from linnet_serve.errors import invalid
from linnet_serve.interfaces.conversation import FunctionCall, Tool, ToolCall

__all__ = ["ToolPlan", "plan_tools"]

# the form of Hermes, which Qwen and SmolLM2 were trained with
_INSTRUCTIONS = """\
You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>
For each function call return a JSON object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""
_OPEN = "<tool_call>\n"
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|$)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class ToolPlan:
    """What tools mean for a request.

    Attributes:
        tools: that may be called; none: no tools.
        instructions: text for the system message.
        schema: JSON schema of the whole answer, if a call is required; None: it is not.
        prefix: text that the answer begins with, which the client does not see.
    """

    tools: tuple[Tool, ...] = ()
    instructions: str = ""
    schema: dict[str, Any] | None = None
    prefix: str = ""

    def calls(self, text: str, restored: Callable[[Any], Any]) -> list[ToolCall]:
        """Return the calls in an answer; none if it is not one, or names an unknown function.

        Args:
            text: the answer.
            restored: returns arguments with the values that were masked.
        """
        if not self.tools:
            return []
        written = [text] if self.schema is not None else _CALL.findall(text) or [text]
        names = {tool.function.name for tool in self.tools}
        found = [_read(part, names, restored) for part in written]
        return [call for call in found if call is not None]


def plan_tools(tools: Sequence[Tool] | None, choice: Any) -> ToolPlan:
    """Return what the parameters tools and tool_choice mean.

    Raises:
        ServiceError: they contradict each other (400).
    """
    if not tools:
        if choice not in (None, "none", "auto"):
            raise invalid("tool_choice needs tools", "tool_choice")
        return ToolPlan()
    names = [tool.function.name for tool in tools]
    if len(set(names)) < len(names) or any(tool.type != "function" for tool in tools):
        raise invalid("expected functions with different names", "tools")
    if choice == "none":
        return ToolPlan()
    instructions = _INSTRUCTIONS.format(tools="\n".join(_signature(tool) for tool in tools))
    if choice in (None, "auto"):
        return ToolPlan(tuple(tools), instructions)
    required = tools if choice == "required" else [tool for tool in tools if tool.function.name == _named(choice)]
    if not required:
        raise invalid(f"tool_choice names no function of tools; known are {', '.join(names)}", "tool_choice")
    schemas = [_schema(tool) for tool in required]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return ToolPlan(tuple(tools), instructions, schema, _OPEN)


def _named(choice: Any) -> str:
    try:
        return str(choice["function"]["name"])
    except (KeyError, TypeError):
        raise invalid(
            'tool_choice is none, auto, required or {"type": "function", "function": {"name": ...}}', "tool_choice"
        ) from None


def _signature(tool: Tool) -> str:
    function = tool.function
    described = {"name": function.name, "description": function.description, "parameters": function.parameters}
    return json.dumps({"type": "function", "function": described}, ensure_ascii=False)


def _schema(tool: Tool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": tool.function.name}, "arguments": tool.function.parameters},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _read(text: str, names: set[str], restored: Callable[[Any], Any]) -> ToolCall | None:
    try:
        # what stands behind the value is left: small models often write a brace too many
        value, _ = json.JSONDecoder().raw_decode(text.strip())
    except (ValueError, RecursionError):
        return None
    # some models write a list with one call
    call = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(call, dict) or call.get("name") not in names:
        return None
    arguments = call.get("arguments", call.get("parameters", {}))
    if not isinstance(arguments, dict):
        return None
    written = json.dumps(restored(arguments), ensure_ascii=False)
    return ToolCall(f"call_{secrets.token_hex(12)}", FunctionCall(call["name"], written))
