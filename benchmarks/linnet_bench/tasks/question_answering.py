"""Extractive question answering: SQuAD's exact match and F1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet_bench.accuracy import metrics
from linnet_bench.tasks.base import PASSAGE, QUESTION, Example, Task

if TYPE_CHECKING:
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["TASK"]


class QuestionAnswering(Task):
    """The task question-answering; see :class:`~linnet_bench.tasks.base.Task`."""

    name = "question-answering"
    metrics = ("exact_match", "f1")
    every_token = True

    def example(self, model: Model, text: str | None) -> Example:
        """Return a call with a question and a passage; see :class:`~linnet_bench.tasks.base.Task`."""
        passage = PASSAGE if text is None else text
        options = {"question": QUESTION, "context": passage}
        return Example(method="__call__", text=QUESTION, pair=passage, arguments=(), options=options)

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Return SQuAD's exact match and F1; see :class:`~linnet_bench.tasks.base.Task`."""
        answers = rows.labels(_answers)
        questions = [{"question": question, "context": context} for question, context in rows.pairs()]
        impossible = not all(answers)

        def run(chunk: Sequence[Any]) -> list[str]:
            return [_answer_text(rows.model(question, handle_impossible_answer=impossible)) for question in chunk]

        predicted = rows.map(questions, run)
        pairs = [(right or [""], answer) for right, answer in zip(answers, predicted, strict=True)]
        exact = [max(metrics.exact_match(one, answer) for one in right) for right, answer in pairs]
        f1 = [max(metrics.token_f1(one, answer) for one in right) for right, answer in pairs]
        return {"exact_match": sum(exact) / len(exact), "f1": sum(f1) / len(f1)}


def _answers(label: Any) -> list[str]:
    """Return the right answers of a row: a str, a list of them, or ``{"text": [...]}``; none means unanswerable."""
    answers = label.get("text") if isinstance(label, dict) else label
    if isinstance(answers, str):
        return [answers] if answers else []
    if isinstance(answers, list) and all(isinstance(answer, str) for answer in answers):
        return answers
    raise InvalidArgumentError(f'{label!r:.40} is no answer, expected a str, a list or {{"text": [...]}}')


def _answer_text(answer: Any) -> str:
    return str(answer["answer"]) if isinstance(answer, dict) else ""


TASK = QuestionAnswering()
