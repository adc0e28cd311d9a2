"""Registry of the tasks by their Hugging Face name, one file each; torch is not imported."""

from __future__ import annotations

from linnet.errors import CallerError
from linnet_export.errors import ExportError
from linnet_export.registry import Registry
from linnet_export.tasks.base import Task
from linnet_export.tasks.feature_extraction import FeatureExtraction
from linnet_export.tasks.fill_mask import FillMask
from linnet_export.tasks.question_answering import QuestionAnswering
from linnet_export.tasks.text_classification import TextClassification
from linnet_export.tasks.text_generation import TextGeneration
from linnet_export.tasks.text_ranking import TextRanking
from linnet_export.tasks.token_classification import TokenClassification

__all__ = ["TASKS", "Task", "UnknownTaskError", "get_task", "supported"]


class UnknownTaskError(ExportError, CallerError):
    """There is no such task."""


TASKS: tuple[Task, ...] = (
    TextClassification(),
    TextRanking(),
    TokenClassification(),
    QuestionAnswering(),
    FillMask(),
    TextGeneration(),
    FeatureExtraction(),
)
"""All tasks, in the order in which a checkpoint's architecture is compared with them."""

_KNOWN: Registry[Task] = Registry("task", {task.name: task for task in TASKS}, UnknownTaskError)


def supported() -> tuple[str, ...]:
    """Return the names of the supported tasks, sorted."""
    return _KNOWN.names()


def get_task(name: str) -> Task:
    """Return a task by its Hugging Face name.

    Raises:
        UnknownTaskError: there is none; the message lists the supported ones.
    """
    return _KNOWN.get(name)
