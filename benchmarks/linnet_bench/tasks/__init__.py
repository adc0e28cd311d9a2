"""Tasks in the benchmark: a sample call, metrics on labelled rows, and the comparison of answers.

One module for each task, found by its Hugging Face name and imported when it is needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import cast

from linnet.errors import InvalidArgumentError
from linnet_bench.tasks.base import Task

__all__ = ["Task", "get_task", "refuse_decoder"]

_MODULES: Mapping[str, str] = {
    "feature-extraction": "linnet_bench.tasks.feature_extraction",
    "fill-mask": "linnet_bench.tasks.fill_mask",
    "question-answering": "linnet_bench.tasks.question_answering",
    "text-classification": "linnet_bench.tasks.text_classification",
    "text-generation": "linnet_bench.tasks.text_generation",
    "text-ranking": "linnet_bench.tasks.text_ranking",
    "token-classification": "linnet_bench.tasks.token_classification",
}


def get_task(name: str) -> Task:
    """Return the task of that name, one of :data:`linnet.format.manifest.TASKS`.

    Raises:
        InvalidArgumentError: the benchmark has no measure for the task.
    """
    if name not in _MODULES:
        raise InvalidArgumentError(
            f"the file is one of {name}, which linnet does not benchmark yet; expected one of {', '.join(_MODULES)}"
        )
    return cast(Task, importlib.import_module(_MODULES[name]).TASK)


def refuse_decoder(task: str, command: str) -> None:
    """Refuse a decoder by name.

    Args:
        task: task of a file.
        command: what does not take decoders.

    Raises:
        InvalidArgumentError: the task is text-generation.
    """
    if task == "text-generation":
        raise InvalidArgumentError(
            f"expected a file that answers texts, got one of {task}, which {command} does not measure; use linnet bench"
        )
