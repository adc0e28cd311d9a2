"""Validation of model inputs: texts, pairs, questions and lists of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from linnet.errors import InvalidArgumentError

__all__ = ["Batch", "TextInput", "read_questions", "read_sentences", "read_texts"]

_PAIR_KEYS = ("text", "text_pair")


@dataclasses.dataclass(frozen=True)
class TextInput:
    """One text, or a pair: (text, second text), (question, context), (query, passage)."""

    text: str
    pair: str | None = None


@dataclasses.dataclass(frozen=True)
class Batch:
    """The inputs of one call.

    Attributes:
        items: the texts, in the order of the call.
        single: the input was one text, not a list.
        bare: the input was one plain string, not a pair.
    """

    items: tuple[TextInput, ...]
    single: bool
    bare: bool = False


def read_texts(value: object, *, pairs: bool) -> Batch:
    """Read a text, a pair, or an iterable of them.

    A pair is a tuple of two strings or ``{"text": ..., "text_pair": ...}``.

    Args:
        value: the input of the call.
        pairs: True if the task accepts pairs.

    Raises:
        InvalidArgumentError: an item is neither a text nor a pair; the message has its position.
    """
    if isinstance(value, str | tuple | dict):
        return Batch((_one(value, "the input", pairs),), single=True, bare=isinstance(value, str))
    items = tuple(_one(item, f"inputs[{index}]", pairs) for index, item in enumerate(_iterate(value)))
    return Batch(items, single=False)


def read_sentences(value: object) -> Batch:
    """Read a string or an iterable of strings (a tuple counts as a list here).

    Raises:
        InvalidArgumentError: an item is not a string; the message has its position.
    """
    if isinstance(value, str):
        return Batch((TextInput(value),), single=True, bare=True)
    items = tuple(TextInput(_text(item, f"inputs[{index}]", "a str")) for index, item in enumerate(_iterate(value)))
    return Batch(items, single=False)


def read_questions(value: object, question: object, context: object) -> Batch:
    """Read questions with their contexts, in the forms that the pipeline of transformers 4 accepts.

    Args:
        value: a dict with ``question`` and ``context`` or an iterable of such dicts; None if ``question``
            and ``context`` are given.
        question: a str, or an iterable of str.
        context: a str for all questions, or an iterable with one for each.

    Raises:
        InvalidArgumentError: the input has another form, or a text is empty.
    """
    if value is None:
        return _questions_by_name(question, context)
    if question is not None or context is not None:
        raise InvalidArgumentError("give either the dict or question= and context=, not both")
    if isinstance(value, dict | tuple):
        return Batch((_question(value, "the input"),), single=True)
    if isinstance(value, str):
        raise InvalidArgumentError("the input is a str, expected question=... and context=...")
    items = tuple(_question(item, f"inputs[{index}]") for index, item in enumerate(_iterate(value)))
    # the pipeline of transformers 4 does not wrap the answer to a list of one in a list
    return Batch(items, single=len(items) == 1)


def _questions_by_name(question: object, context: object) -> Batch:
    if question is None or context is None:
        missing = "question" if question is None else "context"
        raise InvalidArgumentError(f"{missing} is missing, expected both question=... and context=...")
    if isinstance(question, str) and isinstance(context, str):
        return Batch((_checked_question(question, context, "the input"),), single=True)
    if isinstance(question, str):
        raise InvalidArgumentError(f"question is a str but context is {_name(context)}, expected a str too")
    questions = list(_iterate(question))
    contexts = [context] * len(questions) if isinstance(context, str) else list(_iterate(context))
    if len(questions) != len(contexts):
        raise InvalidArgumentError(f"{len(questions)} questions but {len(contexts)} contexts")
    items = tuple(
        _checked_question(*both, f"inputs[{index}]") for index, both in enumerate(zip(questions, contexts, strict=True))
    )
    return Batch(items, single=len(items) == 1)


def _question(item: object, where: str) -> TextInput:
    if isinstance(item, dict) and item.keys() >= {"question", "context"}:
        return _checked_question(item["question"], item["context"], where)
    if isinstance(item, tuple) and len(item) == 2:
        return _checked_question(item[0], item[1], where)
    raise InvalidArgumentError(
        f'{where} is {_name(item)}, expected a dict with "question" and "context" or a tuple of both'
    )


def _checked_question(question: object, context: object, where: str) -> TextInput:
    texts = {"question": question, "context": context}
    for name, text in texts.items():
        if not _text(text, f"{name} of {where}", "a str"):
            raise InvalidArgumentError(f"{name} of {where} is empty")
    return TextInput(str(question), str(context))


def _one(item: object, where: str, pairs: bool) -> TextInput:
    if not pairs:
        return TextInput(_text(item, where, "a str"))
    needed = 'a str, a tuple of two str, or {"text": ..., "text_pair": ...}'
    if isinstance(item, dict):
        unknown = sorted(map(str, item.keys() - set(_PAIR_KEYS)))
        if unknown or "text" not in item:
            keys = sorted(map(str, item))
            raise InvalidArgumentError(f"{where} has the keys {keys}, expected text and text_pair")
        second = item.get("text_pair")
        return TextInput(
            _text(item["text"], f"text of {where}", "a str"),
            None if second is None else _text(second, f"text_pair of {where}", "a str"),
        )
    if isinstance(item, tuple):
        if len(item) != 2:
            raise InvalidArgumentError(f"{where} is a tuple of {len(item)}, expected {needed}")
        first, second = (_text(part, f"{where}[{side}]", "a str") for side, part in enumerate(item))
        return TextInput(first, second)
    return TextInput(_text(item, where, needed))


def _text(item: object, where: str, needed: str) -> str:
    if not isinstance(item, str):
        raise InvalidArgumentError(f"{where} is {_name(item)}, expected {needed}")
    return str(item)


def _iterate(value: object) -> Iterable[Any]:
    if isinstance(value, bytes | bytearray | memoryview) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"the input is {_name(value)}, expected a str or a list of str")
    return value


def _name(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
