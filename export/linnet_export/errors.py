"""Errors of the exporter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from linnet.errors import CallerError, LinnetError
from linnet.format.evidence import WorstText

if TYPE_CHECKING:
    # at run time it would load numpy, and the overview of all commands loads this module
    from linnet_bench.accuracy.entity_errors import EntityError

__all__ = ["CheckpointError", "ExportError", "OutputExistsError", "OverBudgetError", "ProofError", "ProofTextsError"]


class ExportError(LinnetError):
    """The export cannot go on."""


class CheckpointError(ExportError, CallerError):
    """The checkpoint is incomplete or holds something that linnet does not support."""


class OutputExistsError(ExportError, CallerError, FileExistsError):
    """The output file is there and `force` was not given."""


class ProofError(ExportError):
    """The proof could not be made."""


class ProofTextsError(ProofError, CallerError):
    """The file of texts cannot be read, or too few of them fit the task."""


class OverBudgetError(ProofError):
    """The written program answers too differently from the original; nothing was delivered.

    Attributes:
        worst: the texts that differ most, worst first.
        errors: entities of the labelled rows that are wrong, a few of each kind.
    """

    def __init__(self, message: str, worst: Sequence[WorstText] = (), errors: Sequence[EntityError] = ()) -> None:
        super().__init__(message)
        self.worst = tuple(worst)
        self.errors = tuple(errors)
