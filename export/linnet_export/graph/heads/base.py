"""Settings and errors that all heads share."""

from __future__ import annotations

import dataclasses

from linnet_export.errors import CheckpointError

__all__ = ["HeadSettings", "UnsupportedHeadError"]


class UnsupportedHeadError(CheckpointError):
    """The checkpoint's head does not fit the task."""


@dataclasses.dataclass(frozen=True)
class HeadSettings:
    """Pooling and normalization of the hidden state; heads of other tasks ignore them.

    Attributes:
        pooling: mean, cls, max or none.
        normalize: divide an embedding by its length.
    """

    pooling: str = "none"
    normalize: bool = False
