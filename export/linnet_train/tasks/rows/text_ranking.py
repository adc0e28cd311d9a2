"""Rows of text-ranking: query, passage, relevance."""

from __future__ import annotations

from collections.abc import Sequence

from linnet_bench.accuracy.datasets import Columns, Row
from linnet_bench.accuracy.problems import Place, Problem
from linnet_train.data.config import DataConfig
from linnet_train.data.rows import Example, Examples, Grouping, of_one_score, read_grouped, scored_pair
from linnet_train.errors import BadDataError
from linnet_train.tasks.description import TaskDescription

__all__ = ["DESCRIPTION", "RELEVANT"]

RELEVANT = 0.5
"""Label from which a passage counts as an answer to its query."""


def read(config: DataConfig, seed: int) -> Examples:
    """Read, check and split rows; all passages of a query are held out together."""
    grouping = Grouping(key=lambda row: row.text, fewest=2, too_few="one query, expected another to hold out")

    def check(rows: Sequence[Example], held_out: Sequence[Example]) -> list[Problem]:
        files = ((config.train, rows), (config.validation, held_out))
        return [problem for path, part in files for problem in of_one_score(path, part, "passage has the label")]

    examples = read_grouped(config, seed, _read_row, grouping, check, needs_pair=True)
    if not config.validation and not any(row.label >= RELEVANT for row in examples.validation):
        what = "no held-out query has a relevant passage; another --seed has"
        raise BadDataError([Problem(Place(str(config.train)), what)])
    return examples


def _read_row(row: Row, columns: Columns, where: Place) -> Example | list[str]:
    return scored_pair(row, columns, where, "a number from 0 to 1", lambda number: 0 <= number <= 1)


DESCRIPTION = TaskDescription(
    name="text-ranking",
    metrics=("mrr_at_10", "spearman"),
    read=read,
)
