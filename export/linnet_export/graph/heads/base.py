"""Settings and errors that all heads share."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from linnet_export.errors import CheckpointError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["HeadSettings", "UnsupportedHeadError"]


class UnsupportedHeadError(CheckpointError):
    """The checkpoint's head does not fit the task."""


@dataclasses.dataclass(frozen=True)
class HeadSettings:
    """From the hidden state to an embedding; heads of other tasks ignore it.

    Attributes:
        pooling: none, or names of :data:`linnet.format.manifest.POOLINGS` joined by +.
        normalize: divide an embedding by its length, behind all layers.
        layers: modules of sentence-transformers behind the pooling.
        truncate_dim: numbers that are kept, the first ones; None: all.
    """

    pooling: str = "none"
    normalize: bool = False
    layers: tuple[nn.Module, ...] = ()
    truncate_dim: int | None = None
