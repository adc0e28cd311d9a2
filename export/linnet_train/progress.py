"""Listeners for the progress of a training."""

from __future__ import annotations

from typing import Protocol

from linnet_export.progress import Listener, Quiet

__all__ = ["QuietTraining", "TrainListener"]


class TrainListener(Listener, Protocol):
    """Shows progress, and the figures of every epoch."""

    def epoch_finished(self, text: str) -> None:
        """Report the end of an epoch; ``text`` has the loss and the figures on the held-out rows."""


class QuietTraining(Quiet):
    """A listener that shows nothing."""

    def epoch_finished(self, text: str) -> None:
        """See :class:`TrainListener`."""
