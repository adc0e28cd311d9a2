"""What `linnet train` can fine-tune for: one file a task, each with a `TASK`.

Importing this package is light; the file of a task is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from linnet_train.config import TASKS

if TYPE_CHECKING:
    from linnet_train.tasks.base import TrainingTask

__all__ = ["TASKS", "get_task"]


def get_task(name: str) -> TrainingTask:
    """Return the task of that Hugging Face name.

    Raises:
        KeyError: there is none; :class:`TrainConfig` refuses it before.
    """
    if name not in TASKS:
        raise KeyError(name)
    task: TrainingTask = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").TASK
    return task
