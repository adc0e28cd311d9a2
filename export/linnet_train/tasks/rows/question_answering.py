"""Rows of question-answering: question, context, and the positions of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from linnet_bench.accuracy.datasets import Columns, Row
from linnet_bench.accuracy.problems import Place, Problem
from linnet_train.data.config import DataConfig
from linnet_train.data.rows import Example, Examples, Grouping, read_grouped, shown, texts_wrong
from linnet_train.tasks.description import TaskDescription

__all__ = ["DESCRIPTION", "read_answers"]


def read(config: DataConfig, seed: int) -> Examples:
    """Read, check and split rows; questions of one context are held out together."""
    grouping = Grouping(key=lambda row: row.pair, fewest=2, too_few="one context, expected another to hold out")

    def check(rows: Sequence[Example], _: Sequence[Example]) -> list[Problem]:
        answered = not rows or any(row.label for row in rows)
        return [] if answered else [Problem(Place(str(config.train)), "no question has an answer")]

    return read_grouped(config, seed, _read_row, grouping, check, needs_pair=True)


def _read_row(row: Row, columns: Columns, where: Place) -> Example | list[str]:
    wrong = texts_wrong(row, (columns.text, columns.pair))
    if wrong or columns.pair is None:
        return wrong
    context = row[columns.pair]
    try:
        answers = read_answers(row.get(columns.label), row.get("answer_start"), context)
    except ValueError as error:
        return [f"{columns.label}: {error}"]
    return Example(row[columns.text], context, answers, where)


def read_answers(value: Any, start: Any, context: str) -> tuple[tuple[str, int], ...]:
    """Return (text, first code point) of each answer; none means that the question cannot be answered.

    Args:
        value: a str; a list of them or of ``{"text", "answer_start"}``; ``{"text": [...], "answer_start": [...]}``.
        start: of the answer in a column of its own, if there is one.
        context: where it stands.

    Raises:
        ValueError: an answer is not there, or it is not said which of several places is meant.
    """
    if isinstance(value, Mapping):
        texts, starts = value.get("text"), value.get("answer_start")
    elif isinstance(value, list) and value and all(isinstance(answer, Mapping) for answer in value):
        texts, starts = [answer.get("text") for answer in value], [answer.get("answer_start") for answer in value]
    else:
        texts, starts = value, start
    if texts is None:
        raise ValueError("missing, expected answers; an empty list where there is none")
    texts = [texts] if isinstance(texts, str) and texts else texts or []
    starts = starts if isinstance(starts, list) else [starts] * len(texts)
    if not isinstance(texts, list) or len(texts) != len(starts):
        raise ValueError(f"{shown(value)}, expected a str, a list, or text and answer_start of equal length")
    return tuple((str(text), _place(text, at, context)) for text, at in zip(texts, starts, strict=True))


def _place(text: Any, start: Any, context: str) -> int:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"an answer is {shown(text)}, expected a text")
    if start is None or start == "":
        count = context.count(text)
        if count == 1:
            return context.index(text)
        times = f"occurs {count} times in the context, expected answer_start" if count else "is not in the context"
        raise ValueError(f"{text!r:.40} {times}")
    at = int(start) if isinstance(start, int | str) and str(start).isdecimal() else -1
    if at < 0 or context[at : at + len(text)] != text:
        raise ValueError(f"answer_start is {start!r:.20}, but the context does not have {text!r:.40} there")
    return at


DESCRIPTION = TaskDescription(
    name="question-answering",
    metrics=("f1", "exact_match"),
    read=read,
)
