"""Text classification: one label, several labels or one number for each text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linnet_bench.accuracy import metrics
from linnet_bench.tasks.base import Task

if TYPE_CHECKING:
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["TASK"]

OUT_OF_SCOPE = "oos"
"""The label of texts that belong to no class, as CLINC150 names it."""

_PASSING = 0.5  # minimum score of a predicted label of a multi-label model, as in transformers' examples


class TextClassification(Task):
    """The task text-classification; see :class:`~linnet_bench.tasks.base.Task`."""

    name = "text-classification"
    metrics = (
        "accuracy", "macro_f1", "in_scope_accuracy", "out_of_scope_recall", "out_of_scope_auroc", "micro_f1",
        "exact_match", "spearman", "pearson",
    )  # fmt: skip
    plain_texts = True

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Return the metrics that suit the labels; see :class:`~linnet_bench.tasks.base.Task`."""
        items: Sequence[Any] = rows.texts() if rows.columns.pair is None else rows.pairs()
        names = rows.model.manifest.labels
        if len(names) == 1 and rows.model.manifest.score_function == "none":
            gold = rows.numbers()
            scores = rows.map(items, lambda chunk: [answer["score"] for answer in rows.model(list(chunk))])
            return metrics.correlations(scores, gold)
        if any(isinstance(row.get(rows.columns.label), list) for row in rows.table.rows):
            return _several_labels(rows, items)
        expected = rows.labels(rows.label_name)
        if OUT_OF_SCOPE in names and OUT_OF_SCOPE in expected:
            return _with_out_of_scope(rows, items, expected)
        predicted = rows.map(items, lambda chunk: [answer["label"] for answer in rows.model(list(chunk))])
        return {"accuracy": metrics.accuracy(expected, predicted), "macro_f1": metrics.macro_f1(expected, predicted)}


def _with_out_of_scope(rows: LabelledRows, items: Sequence[Any], expected: Sequence[str]) -> dict[str, float]:
    answers = rows.map(items, lambda chunk: rows.model(list(chunk), top_k=None))
    predicted = [answer[0]["label"] for answer in answers]
    inside = [max(guess["score"] for guess in answer if guess["label"] != OUT_OF_SCOPE) for answer in answers]
    return {
        "accuracy": metrics.accuracy(expected, predicted),
        "macro_f1": metrics.macro_f1(expected, predicted),
        **metrics.out_of_scope_scores(expected, predicted, inside, OUT_OF_SCOPE),
    }


def _several_labels(rows: LabelledRows, items: Sequence[Any]) -> dict[str, float]:
    expected = rows.labels(
        lambda label: {rows.label_name(entry) for entry in (label if isinstance(label, list) else [label])}
    )
    answers = rows.map(items, lambda chunk: rows.model(list(chunk), top_k=None))
    predicted = [{guess["label"] for guess in answer if guess["score"] >= _PASSING} for answer in answers]
    micro, macro = metrics.multi_label_f1(expected, predicted)
    same = metrics.accuracy([frozenset(labels) for labels in expected], [frozenset(labels) for labels in predicted])
    return {"micro_f1": micro, "macro_f1": macro, "exact_match": same}


TASK = TextClassification()
