"""Exceptions of training: unusable rows, impossible pruning, an occupied output directory."""

from __future__ import annotations

from linnet.errors import CallerError
from linnet_bench.accuracy.problems import BadRowsError
from linnet_export.errors import ExportError

__all__ = ["BadDataError", "ShrinkError", "TrainingExistsError"]


class BadDataError(ExportError, BadRowsError):
    """Rows that training cannot use; the message lists them by file and line."""


class ShrinkError(ExportError, CallerError):
    """The model lacks the part to be removed, or cannot work without it."""


class TrainingExistsError(ExportError, CallerError, FileExistsError):
    """The output directory is not empty, and neither `resume` nor `force` was given."""
