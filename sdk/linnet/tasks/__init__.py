"""Registry of tasks by Hugging Face name. Each task has one module that turns program outputs into answers."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import cast

from linnet.errors import ManifestInvalidError
from linnet.tasks.base import Task

__all__ = ["Task", "get_task"]

_MODULES: Mapping[str, str] = {
    "feature-extraction": "linnet.tasks.feature_extraction",
    "fill-mask": "linnet.tasks.fill_mask",
    "question-answering": "linnet.tasks.question_answering",
    "text-classification": "linnet.tasks.text_classification",
    "text-generation": "linnet.tasks.text_generation",
    "text-ranking": "linnet.tasks.text_ranking",
    "token-classification": "linnet.tasks.token_classification",
}


def get_task(name: str) -> Task:
    """Return the task with this Hugging Face name.

    Raises:
        ManifestInvalidError: this linnet does not have the task.
    """
    if name not in _MODULES:
        raise ManifestInvalidError(f"the task is {name!r}, this linnet knows {', '.join(_MODULES)}")
    return cast(Task, importlib.import_module(_MODULES[name]).TASK)
