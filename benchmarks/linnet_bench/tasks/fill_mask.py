"""Fill-mask: accuracy of the masked word, and of the best five."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linnet.model import Model
from linnet_bench.accuracy import metrics
from linnet_bench.tasks.base import SHORT_TEXT, Example, Task

if TYPE_CHECKING:
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["TASK"]


class FillMask(Task):
    """The task fill-mask; see :class:`~linnet_bench.tasks.base.Task`."""

    name = "fill-mask"
    metrics = ("accuracy", "accuracy_top5")
    every_token = True

    def example(self, model: Model, text: str | None) -> Example:
        """Return a call with one masked word; see :class:`~linnet_bench.tasks.base.Task`."""
        given = _masked(SHORT_TEXT if text is None else text, model.tokenizer.vocabulary.token(model.manifest.mask_id))
        return Example(method="__call__", text=given, pair=None, arguments=(given,))

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Return the accuracy and top-5 accuracy; see :class:`~linnet_bench.tasks.base.Task`."""
        expected = rows.labels(lambda label: str(label).strip().lower())

        def run(chunk: Sequence[Any]) -> list[list[str]]:
            answers = [rows.model(text, top_k=5) for text in chunk]
            return [[str(guess["token_str"]).lower() for guess in _first_mask(answer)] for answer in answers]

        predicted = rows.map(rows.texts(), run)
        top5 = [label in answers for label, answers in zip(expected, predicted, strict=True)]
        return {
            "accuracy": metrics.accuracy(expected, [answers[0] for answers in predicted]),
            "accuracy_top5": sum(top5) / len(top5),
        }


def _first_mask(answer: list[Any]) -> list[Any]:
    return list(answer[0]) if isinstance(answer[0], list) else answer


def _masked(text: str, mask: str) -> str:
    """Replace the fourth word, or the last of fewer, by the mask token."""
    words = text.split()
    words[min(3, len(words) - 1)] = mask
    return " ".join(words)


TASK = FillMask()
