"""Labelled rows for training, as their task reads them."""

from __future__ import annotations

import importlib

from linnet_train.config import DataConfig
from linnet_train.data.reading.rows import Example, Examples

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
    reading = importlib.import_module(f"linnet_train.data.reading.{task.replace('-', '_')}")
    examples: Examples = reading.read(config, seed)
    return examples
