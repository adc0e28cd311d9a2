"""Feature extraction: embeddings, evaluated by the rank correlation of their cosines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linnet.model import Model
from linnet_bench.accuracy import metrics
from linnet_bench.tasks.base import SHORT_TEXT, Example, Task

if TYPE_CHECKING:
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["TASK"]


class FeatureExtraction(Task):
    """The task feature-extraction; see :class:`~linnet_bench.tasks.base.Task`."""

    name = "feature-extraction"
    metrics = ("spearman", "pearson")
    plain_texts = True
    compared_by_cosine = True

    def example(self, model: Model, text: str | None) -> Example:
        """Return a call of ``encode``; see :class:`~linnet_bench.tasks.base.Task`."""
        given = SHORT_TEXT if text is None else text
        return Example(method="encode", text=given, pair=None, arguments=(given,))

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Return the correlations of cosines and scores; see :class:`~linnet_bench.tasks.base.Task`."""
        gold = rows.numbers()
        model = rows.model

        def run(chunk: Sequence[Any]) -> list[float]:
            left, right = (model.encode(list(side), normalize_embeddings=True) for side in zip(*chunk, strict=True))
            return [float(cosine) for cosine in (left * right).sum(axis=1)]

        return metrics.correlations(rows.map(rows.pairs(), run), gold)


TASK = FeatureExtraction()
