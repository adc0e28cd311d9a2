"""Labelled rows for training, as their task reads them."""

from __future__ import annotations

from linnet_export.adapt.config import DataConfig
from linnet_export.adapt.tasks import get_task
from linnet_export.adapt.tasks.rows import Example, Examples

__all__ = ["Example", "Examples", "read_examples"]


def read_examples(config: DataConfig, seed: int, task: str = "text-classification") -> Examples:
    """Read, check and split all rows.

    Args:
        config: files, columns and split.
        seed: of the split.
        task: Hugging Face task name.

    Raises:
        BadDataError: rows cannot be trained on; the message names every kind of them, with their numbers.
    """
    return get_task(task).read(config, seed)
