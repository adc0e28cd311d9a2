"""New models for pre-training: a configuration, a WordPiece vocabulary of the corpus, and seeded random weights.

It is an ordinary checkpoint, so it can be exported and measured on the device before a day is spent on training it.
Importing this package is light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linnet_export.threads import wait_asleep
from linnet_train.new_model.config import MODEL_TYPES, NewModelConfig
from linnet_train.requirements import require_extra

if TYPE_CHECKING:
    from linnet_train.new_model.make import NewModel

__all__ = ["MODEL_TYPES", "NewModelConfig", "make_model"]


def make_model(config: NewModelConfig) -> NewModel:
    """Train a vocabulary, draw weights and write the checkpoint.

    Raises:
        ExtraMissingError: the `train` extra is not installed.
        BadDataError: the corpus cannot be read.
        InvalidArgumentError: a field of the configuration is unknown or impossible.
    """
    require_extra("a new model")
    wait_asleep()
    from linnet_train.new_model.make import make_model as run

    return run(config)
