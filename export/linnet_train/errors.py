"""Errors of the training: each says what was found, what was needed and what to do."""

from __future__ import annotations

from linnet.errors import CallerError
from linnet_bench.accuracy.problems import BadRowsError
from linnet_export.errors import ExportError

__all__ = ["BadDataError", "ShrinkError", "TrainingExistsError"]


class BadDataError(ExportError, BadRowsError):
    """Rows that cannot be trained on."""


class ShrinkError(ExportError, CallerError):
    """The model has not what should be taken away, or would not work without it."""


class TrainingExistsError(ExportError, CallerError, FileExistsError):
    """The output directory holds something, and neither `resume` nor `force` was given."""
