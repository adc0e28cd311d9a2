"""Rows of sentence-similarity: two texts and a score."""

from __future__ import annotations

from collections.abc import Sequence

from linnet_bench.accuracy.datasets import Columns, Row
from linnet_bench.accuracy.problems import Place, Problem
from linnet_train.data.config import DataConfig
from linnet_train.data.rows import Example, Examples, Grouping, of_one_score, read_grouped, scored_pair
from linnet_train.tasks.description import TaskDescription

__all__ = ["DESCRIPTION"]


def read(config: DataConfig, seed: int) -> Examples:
    """Read, check and split rows; pairs with the same first text are held out together."""
    grouping = Grouping(
        key=lambda row: row.text, fewest=3, too_few="fewer than 3 first texts, too few to hold some out"
    )

    def check(rows: Sequence[Example], held_out: Sequence[Example]) -> list[Problem]:
        files = ((config.train, rows), (config.validation, held_out))
        return [problem for path, part in files for problem in of_one_score(path, part, "pair has the score")]

    return read_grouped(config, seed, _read_row, grouping, check, needs_pair=True)


def _read_row(row: Row, columns: Columns, where: Place) -> Example | list[str]:
    return scored_pair(row, columns, where, "a number")


DESCRIPTION = TaskDescription(
    name="sentence-similarity",
    metrics=("spearman", "pearson"),
    read=read,
)
