"""Registry of the tasks that can be trained.

`rows/NAME.py` describes the task and reads its rows, without torch; `NAME.py` beside it has labels, loss and figures,
and is imported by :func:`linnet_train.tasks.base.get_task`. A new task is one of each and a line in :data:`TASKS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from linnet_train.data.config import DataConfig
from linnet_train.data.rows import Examples
from linnet_train.tasks.description import TaskDescription
from linnet_train.tasks.rows import (
    fill_mask,
    question_answering,
    sentence_similarity,
    text_classification,
    text_generation,
    text_ranking,
    token_classification,
)

__all__ = ["METRICS", "TASKS", "read_examples"]

TASKS: Mapping[str, TaskDescription] = {
    module.DESCRIPTION.name: module.DESCRIPTION
    for module in (
        text_classification,
        token_classification,
        question_answering,
        sentence_similarity,
        text_ranking,
        fill_mask,
        text_generation,
    )
}
"""The tasks by their Hugging Face names."""

METRICS: tuple[str, ...] = (*dict.fromkeys(name for task in TASKS.values() for name in task.metrics), "loss")
"""What early stopping watches, on the held-out rows; each task has some of them."""


def read_examples(config: DataConfig, seed: int, task: str = "text-classification") -> Examples:
    """Read, check and split all rows.

    Args:
        config: files, columns and split.
        seed: of the split.
        task: Hugging Face task name.

    Raises:
        BadDataError: rows cannot be trained on; the message names every kind of them, with their numbers.
    """
    return TASKS[task].read(config, seed)
