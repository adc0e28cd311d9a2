"""Settings and errors that all heads share."""

from __future__ import annotations

import dataclasses

from linnet_export.errors import CheckpointError

__all__ = ["HeadSettings", "UnsupportedHeadError"]


class UnsupportedHeadError(CheckpointError):
    """The checkpoint's head does not fit the task."""


@dataclasses.dataclass(frozen=True)
class HeadSettings:
    """How an embedding is made of the hidden state; other tasks do not look at it.

    Attributes:
        pooling: mean, cls, max or none.
        normalize: divide an embedding by its length.
    """

    pooling: str = "none"
    normalize: bool = False
