"""What tools mean for a request, and calls in an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from linnet_serve.errors import ServiceError
from linnet_serve.interfaces.conversation import Function, Tool
from linnet_serve.interfaces.tool_calls import plan_tools

TOOLS = [Tool(Function("mail", parameters={"type": "object", "properties": {"to": {"type": "string"}}}))]


def unchanged(value: Any) -> Any:
    return value


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "mail", "arguments": {"to": "a"}}\n</tool_call>',
        '<tool_call>{"name": "mail", "arguments": {"to": "a"}}}',  # a brace too many, and no end
        '[{"name": "mail", "parameters": {"to": "a"}}]',
    ],
)
def test_calls_are_found_in_the_forms_that_models_write(text: str) -> None:
    (call,) = plan_tools(TOOLS, "auto").calls(text, unchanged)
    assert (call.function.name, json.loads(call.function.arguments)) == ("mail", {"to": "a"})


@pytest.mark.parametrize("text", ["Hello.", '{"name": "other", "arguments": {}}', "<tool_call>{", "[" * 100_000])
def test_other_answers_are_no_calls(text: str) -> None:
    assert plan_tools(TOOLS, None).calls(text, unchanged) == []


def test_arguments_get_their_values_back() -> None:
    def restored(value: Any) -> Any:
        return {"to": 'Ada "the first" Lovelace'} if value == {"to": "[PERSON_1]"} else value

    text = '{"name": "mail", "arguments": {"to": "[PERSON_1]"}}'
    (call,) = plan_tools(TOOLS, "required").calls(text, restored)
    assert json.loads(call.function.arguments) == {"to": 'Ada "the first" Lovelace'}


def test_a_required_call_has_the_schema_of_its_function() -> None:
    schema = plan_tools(TOOLS, {"type": "function", "function": {"name": "mail"}}).schema
    assert schema is not None
    assert schema["properties"]["name"] == {"const": "mail"}
    for tools, choice in ((TOOLS, {"function": {"name": "none"}}), (TOOLS, "maybe"), (None, "required")):
        with pytest.raises(ServiceError):
            plan_tools(tools, choice)
