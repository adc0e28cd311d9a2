"""What a task has to provide."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from torch import nn

from linnet_export.errors import CheckpointError
from linnet_export.graph.architectures.base import Architecture

__all__ = ["HeadSettings", "TaskSpec", "UnsupportedHeadError"]


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


@dataclasses.dataclass(frozen=True)
class TaskSpec:
    """One task by its Hugging Face name.

    Attributes:
        name: Hugging Face task name.
        auto_class: name of the `transformers` auto class that loads a checkpoint for it.
        takes_pairs: texts can come in pairs, so `token_type_ids` matter.
        outputs: settings -> names of the program's outputs.
        head: (model, architecture, settings) -> module from (hidden state [tokens, hidden], frame) to a
            tuple of float32 tensors, one per output.
    """

    name: str
    auto_class: str
    takes_pairs: bool
    outputs: Callable[[HeadSettings], tuple[str, ...]]
    head: Callable[[Any, Architecture, HeadSettings], nn.Module]
