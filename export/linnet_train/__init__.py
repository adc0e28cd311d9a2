"""Training of small classifiers, taggers and encoders: labelled rows to a checkpoint for :func:`linnet_export.export`.

::

    from linnet_train import DataConfig, TrainConfig, train
    report = train(TrainConfig(model="./encoder", output="intents", data=DataConfig(train="intents.jsonl")))

Importing this package is light; PyTorch and transformers are imported by :func:`train`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linnet_export.progress import Stages
from linnet_export.threads import wait_asleep
from linnet_train.config import (
    AdapterConfig,
    CalibrationConfig,
    DataConfig,
    DistillationConfig,
    MaskingConfig,
    OptimizerConfig,
    ShrinkConfig,
    TrainConfig,
)
from linnet_train.new_model import NewModelConfig, make_model
from linnet_train.progress import QuietTraining, TrainListener
from linnet_train.requirements import require_extra
from linnet_train.tasks import TASKS, read_examples

if TYPE_CHECKING:
    from linnet_train.report import TrainReport

__all__ = [
    "AdapterConfig",
    "CalibrationConfig",
    "DataConfig",
    "DistillationConfig",
    "MaskingConfig",
    "NewModelConfig",
    "OptimizerConfig",
    "ShrinkConfig",
    "TrainConfig",
    "make_model",
    "train",
]


def train(config: TrainConfig, listener: TrainListener | None = None) -> TrainReport:
    """Train ``config.model`` on labelled rows and write a checkpoint.

    Args:
        config: what to train, on what, and how.
        listener: receives the progress; None shows nothing.

    Returns:
        The report; its `output` is the directory of the checkpoint.

    Raises:
        ExtraMissingError: the `train` extra is not installed.
        BadDataError: some rows are unusable; the message lists them.
        CheckpointError: the model or the teacher cannot be used.
        ShrinkError: the model lacks the part to be removed.
        TrainingExistsError: the output directory is not empty.
    """
    require_extra("training", *([] if config.adapters is None else ["peft"]))
    listener = listener or QuietTraining()
    stages = Stages(listener)
    with stages.stage("data"):  # before PyTorch is imported, which takes seconds: bad rows are reported at once
        examples = read_examples(config.data, config.seed, config.task)
    TASKS[config.task].check_settings(config)
    wait_asleep()
    from linnet_train.tasks.base import get_task
    from linnet_train.training import Training

    return Training(config, get_task(config.task), examples, stages, listener).run()
