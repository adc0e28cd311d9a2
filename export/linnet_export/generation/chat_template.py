"""Chat template of a checkpoint as segments: what stands before and behind each message.

A checkpoint's template is a program in Jinja, which no device runs. Most templates only put fixed texts around
messages; these are found by rendering conversations with transformers, and compared with it on others. A template
that does more is left out, and the report says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from jinja2.exceptions import TemplateError

__all__ = ["ChatTemplate", "UnknownTemplateError", "derive_template"]

Conversation: TypeAlias = Sequence[tuple[str, str]]
"""Messages as pairs of role and content."""

_SYSTEM, _USER, _ASSISTANT, _SECOND = "ALPHA7", "BRAVO7", "CHARLIE7", "DELTA7"
"""Contents of the probes: texts that no template contains."""


class UnknownTemplateError(Exception):
    """The template is not of the form that segments have."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChatTemplate:
    """Texts around the messages of a conversation.

    Attributes:
        head: beginning of a conversation without a system message.
        has_system: a conversation can have a system message, as its first.
        head_system: what stands before it.
        system_end: what stands behind it.
        user_start, user_end: what stands before and behind a message of the user.
        assistant_start, assistant_end: the same of an answer.
        generation: beginning of the answer that is to come.
        trim: spaces taken off contents: right, both, or empty.
    """

    head: str
    has_system: bool
    head_system: str
    system_end: str
    user_start: str
    user_end: str
    assistant_start: str
    assistant_end: str
    generation: str
    trim: str = ""

    def render(self, messages: Conversation, *, generation: bool) -> str:
        """Return the prompt of a conversation, as runtime/text/generate/chat.cpp does."""
        with_system = bool(messages) and messages[0][0] == "system"
        text = self.head_system if with_system else self.head
        for role, content in messages:
            content = self._trimmed(content)
            if role == "system":
                text += content + self.system_end
            elif role == "user":
                text += self.user_start + content + self.user_end
            else:
                text += self.assistant_start + content + self.assistant_end
        return text + self.generation if generation else text

    def fields(self) -> Mapping[str, Any]:
        """Return the fields of the manifest."""
        return {f"chat_{name}": value for name, value in dataclasses.asdict(self).items()}

    def _trimmed(self, content: str) -> str:
        spaces = " \t\n\r\v\f"
        return {"": content, "right": content.rstrip(spaces), "both": content.strip(spaces)}[self.trim]


def derive_template(tokenizer: Any) -> ChatTemplate:
    """Return the segments of a tokenizer's chat template.

    Args:
        tokenizer: a tokenizer of transformers with a chat template.

    Raises:
        UnknownTemplateError: the template is not of this form; the message says where it differs.
    """

    def render(messages: Conversation, generation: bool) -> str:
        listed = [{"role": role, "content": content} for role, content in messages]
        result: str = tokenizer.apply_chat_template(listed, tokenize=False, add_generation_prompt=generation)
        return result

    try:
        template = _segments(render)
    except UnknownTemplateError:
        raise
    except Exception as error:  # Jinja raises what the template's author wrote
        raise UnknownTemplateError(f"it refuses a plain conversation: {error}") from error
    for messages in _CHECKED:
        for generation in (False, True):
            _compare(template, render, messages, generation)
    return template


_CHECKED: tuple[Conversation, ...] = (
    (("user", "Hello"),),
    (("user", " spaces around \n"), ("assistant", "\tyes "), ("user", "")),
    (("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")),
    (("user", "Grüße, 世界 👋"), ("assistant", "two\n\nlines")),
    (("system", " Be brief. "), ("user", "Why?")),
    (("system", "x"), ("user", "y"), ("assistant", "z"), ("user", "{{ braces }} <|end|>")),
)
"""Conversations that a template and its segments have to render alike."""


def _segments(render: Callable[[Conversation, bool], str]) -> ChatTemplate:
    once, turns = (("user", _USER),), (("user", _USER), ("assistant", _ASSISTANT), ("user", _SECOND))
    head_user, user_end = _around(render(once, False), _USER)
    first, between, again, last = _around(render(turns, False), _USER, _ASSISTANT, _SECOND)
    _, _, assistant_end = _around(render(turns[:2], False), _USER, _ASSISTANT)
    if last != user_end or first != head_user:
        raise UnknownTemplateError("a message of the user looks different in a longer conversation")
    assistant_start = _without_start(between, user_end, "behind the user's message")
    user_start = _without_start(again, assistant_end, "behind an answer")
    head = _without_end(head_user, user_start, "before the first message")
    generation = _without_start(render(once, True), render(once, False), "before the answer to come")
    system = _system_segments(render, user_start)
    return ChatTemplate(
        head=head,
        has_system=system is not None,
        head_system=system[0] if system else "",
        system_end=system[1] if system else "",
        user_start=user_start,
        user_end=user_end,
        assistant_start=assistant_start,
        assistant_end=assistant_end,
        generation=generation,
        trim=_trim(render, user_start, user_end),
    )


def _system_segments(render: Callable[[Conversation, bool], str], user_start: str) -> tuple[str, str] | None:
    """Return what stands around a system message; None if the template refuses one."""
    try:
        text = render((("system", _SYSTEM), ("user", _USER)), False)
    except TemplateError:  # what the template's author wrote for it
        return None
    before, between, _ = _around(text, _SYSTEM, _USER)
    return before, _without_end(between, user_start, "behind the system message")


def _trim(render: Callable[[Conversation, bool], str], start: str, end: str) -> str:
    spaced = f" {_USER} \n"
    text = render((("user", spaced),), False)
    forms = {spaced: "", spaced.rstrip(): "right", spaced.strip(): "both"}
    for form, name in forms.items():
        if text.endswith(start + form + end):
            return name
    raise UnknownTemplateError("it changes the content of messages")


def _around(text: str, *contents: str) -> list[str]:
    """Return what stands before, between and behind contents, in their order."""
    parts, rest = [], text
    for content in contents:
        before, found, rest = rest.partition(content)
        if not found:
            raise UnknownTemplateError("it leaves a message out, or changes the order of messages")
        parts.append(before)
    return [*parts, rest]


def _without_start(text: str, start: str, where: str) -> str:
    if not text.startswith(start):
        raise UnknownTemplateError(f"what stands {where} is not the same everywhere")
    return text[len(start) :]


def _without_end(text: str, end: str, where: str) -> str:
    if not text.endswith(end):
        raise UnknownTemplateError(f"what stands {where} is not the same everywhere")
    return text[: len(text) - len(end)]


def _compare(
    template: ChatTemplate, render: Callable[[Conversation, bool], str], messages: Conversation, generation: bool
) -> None:
    if messages[0][0] == "system" and not template.has_system:
        return
    try:
        expected = render(messages, generation)
    except Exception as error:  # what the template's author wrote
        raise UnknownTemplateError(f"it refuses a conversation of {len(messages)} messages: {error}") from error
    if template.render(messages, generation=generation) != expected:
        raise UnknownTemplateError(f"segments render a conversation of {len(messages)} messages differently")
