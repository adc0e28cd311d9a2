"""Errors of the training: each says what was found, what was needed and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from linnet.errors import CallerError
from linnet_export.errors import ExportError

__all__ = ["BadDataError", "ShrinkError", "TrainingExistsError"]

_SHOWN = 20


class BadDataError(ExportError, CallerError):
    """Rows that cannot be trained on.

    Attributes:
        problems: a sentence for each row, or for the whole file; the message shows the first 20.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        super().__init__("; ".join(problems[:_SHOWN]) + more)
        self.problems = tuple(problems)


class ShrinkError(ExportError, CallerError):
    """The model has not what should be taken away, or would not work without it."""


class TrainingExistsError(ExportError, CallerError, FileExistsError):
    """The output directory holds something, and neither `resume` nor `force` was given."""
