"""Text ranking: scores of pairs, evaluated by their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linnet.model import Model
from linnet_bench.accuracy import metrics
from linnet_bench.tasks.base import PASSAGE, QUESTION, Example, Task

if TYPE_CHECKING:
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["TASK"]


class TextRanking(Task):
    """The task text-ranking; see :class:`~linnet_bench.tasks.base.Task`."""

    name = "text-ranking"
    metrics = ("spearman", "mrr_at_10")

    def example(self, model: Model, text: str | None) -> Example:
        """Return a call of ``predict`` with one pair; see :class:`~linnet_bench.tasks.base.Task`."""
        passage = PASSAGE if text is None else text
        pairs = [(QUESTION, passage)]
        return Example(method="predict", text=QUESTION, pair=passage, arguments=(pairs,))

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Return the rank correlation, and MRR@10 for labels 0 and 1; see :class:`~linnet_bench.tasks.base.Task`."""
        gold = rows.numbers()
        pairs = rows.pairs()
        scores = rows.map(pairs, lambda chunk: rows.model.predict(list(chunk)).tolist())
        figures = {"spearman": metrics.spearman(scores, gold)}
        if set(gold) <= {0.0, 1.0}:
            relevant = [label == 1.0 for label in gold]
            queries = [query for query, _ in pairs]
            figures["mrr_at_10"] = metrics.mean_reciprocal_rank(queries, relevant, scores)
        return figures


TASK = TextRanking()
