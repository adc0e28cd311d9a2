"""From labelled rows to a small trained checkpoint, which :func:`linnet_export.export` takes.

::

    from linnet_export.adapt import DataConfig, TrainConfig, train
    report = train(TrainConfig(model="./encoder", output="intents", data=DataConfig(train="intents.jsonl")))

Importing this package is light; PyTorch and transformers are imported by :func:`train`.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from linnet.errors import ExtraMissingError
from linnet_export.adapt.config import (
    AdapterConfig,
    CalibrationConfig,
    DataConfig,
    DistillationConfig,
    OptimizerConfig,
    ShrinkConfig,
    TrainConfig,
)

if TYPE_CHECKING:
    from linnet_export.adapt.progress import TrainListener
    from linnet_export.adapt.report import TrainReport

__all__ = [
    "AdapterConfig",
    "CalibrationConfig",
    "DataConfig",
    "DistillationConfig",
    "OptimizerConfig",
    "ShrinkConfig",
    "TrainConfig",
    "train",
]

_NEEDED = ("torch", "transformers", "accelerate", "safetensors", "tokenizers")


def train(config: TrainConfig, listener: TrainListener | None = None) -> TrainReport:
    """Train ``config.model`` on labelled rows and write a checkpoint.

    Args:
        config: what to train, on what, and how.
        listener: is told about the progress; None shows nothing.

    Returns:
        The report; its `output` is the directory of the checkpoint.

    Raises:
        ExtraMissingError: the `train` extra is not installed.
        BadDataError: rows cannot be trained on; the message names them.
        CheckpointError: the model or the teacher cannot be used.
        ShrinkError: the model has not what should be taken away.
        TrainingExistsError: the output is taken.
    """
    needed = _NEEDED if config.adapters is None else (*_NEEDED, "peft")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f'training needs {", ".join(missing)}, not installed here; run: pip install "linnet[train]"'
        )
    from linnet_export.adapt.pipeline import train as run

    return run(config, listener)
