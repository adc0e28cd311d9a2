"""Evaluation of a model on labelled rows with the metrics of its task."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet_bench.accuracy.datasets import Columns, Table
from linnet_bench.accuracy.entity_errors import EntityError, choose_errors
from linnet_bench.accuracy.problems import Problem
from linnet_bench.accuracy.rows import LabelledRows, Progress
from linnet_bench.tasks import get_task
from linnet_bench.tasks.token_classification import scores, tag_rows

__all__ = ["Evaluation", "Progress", "evaluate"]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        task: task of the file.
        rows: number of rows.
        metrics: values by name, from 0 to 1 (correlations from -1); NaN where one is not defined.
        truncated: number of texts that were truncated.
        errors: wrong entities of a tagger, as many as were asked for.
    """

    task: str
    rows: int
    metrics: Mapping[str, float]
    truncated: int
    errors: tuple[EntityError, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON data; NaN becomes null."""
        values = {name: None if math.isnan(value) else value for name, value in self.metrics.items()}
        errors = {"errors": [dataclasses.asdict(error) for error in self.errors]} if self.errors else {}
        return {"task": self.task, "rows": self.rows, "metrics": values, "truncated": self.truncated, **errors}


def evaluate(
    model: Model,
    table: Table,
    columns: Columns,
    progress: Progress | None = None,
    wrong: Sequence[Problem] = (),
    most_errors: int = 0,
) -> Evaluation:
    """Run every row and return the task's metrics.

    =====================  =====================================================================
    text-classification    accuracy, macro_f1; several labels a text: micro_f1, macro_f1,
                           exact_match; one number a text: spearman, pearson; with the label
                           `oos`: in_scope_accuracy, out_of_scope_recall, out_of_scope_auroc
    token-classification   precision, recall, f1 of whole entities; accuracy of words
    question-answering     exact_match, f1 (SQuAD)
    fill-mask              accuracy, accuracy_top5 of the masked word
    feature-extraction     spearman, pearson of the cosine and the given score
    text-ranking           spearman; mrr_at_10 if labels are 0 and 1
    =====================  =====================================================================

    Args:
        model: a model of the task.
        table: the rows.
        columns: the column of each role.
        progress: callback for the number of finished rows and of all rows.
        wrong: problems of invalid lines of the file, reported together with rows that do not fit.
        most_errors: keep up to so many wrong entities of each kind; for token-classification.

    Raises:
        InvalidArgumentError: rows do not fit the task; the message has their lines, counted from 1.
    """
    rows = LabelledRows(model, table, columns, progress or (lambda done, total: None), wrong)
    task = get_task(model.manifest.task)
    errors: tuple[EntityError, ...] = ()
    if most_errors:
        if task.name != "token-classification":
            raise InvalidArgumentError(f"errors of entities are for token-classification; the file is for {task.name}")
        tagged = tag_rows(rows)
        metrics, errors = scores(tagged), choose_errors(tagged, most_errors)
    else:
        metrics = task.measure(rows)
    return Evaluation(task.name, len(table.rows), metrics, rows.truncated, errors)
