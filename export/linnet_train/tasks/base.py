"""Interface of a training task, and access to tasks by name."""

from __future__ import annotations

import abc
import dataclasses
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from torch import Tensor

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.datasets import Columns
from linnet_train.config import TrainConfig
from linnet_train.data.batches import Collator, Rows
from linnet_train.data.rows import Example, Examples
from linnet_train.distill.losses import softened
from linnet_train.loading import Loaded
from linnet_train.report import FEWEST_FOR_SHARES, Confusion
from linnet_train.tasks import TASKS
from linnet_train.tasks.description import TaskDescription

__all__ = ["Answers", "Step", "TrainingTask", "get_task", "known_figures"]

Step: TypeAlias = Callable[[Any, dict[str, Tensor]], tuple[Tensor, dict[str, Tensor]]]
"""(model, batch with `labels`) -> the loss, a scalar that is a mean over the batch, and what is measured."""


@dataclasses.dataclass(frozen=True)
class Answers:
    """Outputs of a model for one batch.

    Attributes:
        runs: of the model, each with `outputs` of transformers and `mask` int64 [rows, tokens].
        measured: what :data:`Step` gave beside the loss.
    """

    runs: Sequence[Any]
    measured: Mapping[str, Tensor]


class TrainingTask(abc.ABC):
    """One task by its Hugging Face name; :mod:`linnet_train.tasks.rows` has its rows.

    Attributes:
        description: name, figures and settings.
        teacher_beside: a teacher answers every batch; False: it is asked once for all rows.
    """

    description: ClassVar[TaskDescription]
    teacher_beside: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Hugging Face name."""
        return self.description.name

    @property
    def metrics(self) -> tuple[str, ...]:
        """Figures on the held-out rows."""
        return self.description.metrics

    @abc.abstractmethod
    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """Load a checkpoint with the task's head.

        Args:
            name: local directory or hub id: where training starts, or a teacher.
            examples: labels.
            config: of the training.

        Raises:
            CheckpointError: it cannot be loaded, or not be exported afterwards.
        """

    @abc.abstractmethod
    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """Return token ids and labels, and what :meth:`figures` needs beside the model's answers."""

    @abc.abstractmethod
    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """Return the function that computes the loss of a batch."""

    @abc.abstractmethod
    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """Return :attr:`metrics` of the held-out rows.

        Args:
            predictions: what :meth:`step` gave of all rows, one array or a tuple of arrays, float32.
            rows: as encoded.
            examples: labels.
        """

    def collator(self, pad_id: int) -> Callable[[Sequence[dict[str, Any]]], dict[str, Tensor]]:
        """Return the collator that pads rows to a batch."""
        return Collator(pad_id)

    def held_out_row(self, example: Example) -> dict[str, Any]:
        """Return the row as `linnet eval` reads it."""
        pair = {} if example.pair is None else {"pair": example.pair}
        return {"text": example.text, **pair, "label": example.label}

    def texts(self, example: Example, tokenizer: Any) -> list[dict[str, str]]:
        """Return the inputs of the exported program for calibration and proof; ``tokenizer`` is transformers'."""
        return [{"text": example.text, **({} if example.pair is None else {"pair": example.pair})}]

    def held_out_rows(self, examples: Sequence[Example], tokenizer: Any) -> list[dict[str, Any]]:
        """Return the rows as `linnet eval` reads them."""
        return [self.held_out_row(example) for example in examples]

    @property
    def columns(self) -> Columns | None:
        """Columns of :meth:`held_out_row`; None: by their usual names."""
        return None

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """Compute the distance to the teacher's outputs, a scalar; None if the loss of :meth:`step` includes it.

        Args:
            student, teacher: their answers.
            temperature: of the distributions.
        """
        return softened(student.runs[0].outputs.logits, teacher.runs[0].outputs.logits, temperature)

    def finish(self, directory: Path, model: Any, config: TrainConfig) -> None:  # noqa: B027 (most have nothing to do)
        """Complete the written checkpoint."""

    def watched(self, config: TrainConfig) -> str:
        """Return the metric that chooses the best trial of a search, and the best epoch of many held-out rows."""
        return config.metric or self.metrics[0]

    def chooses(self, config: TrainConfig, examples: Examples) -> str:
        """Return the metric that chooses the best epoch of these rows: of few held-out rows the loss.

        A share of 20 rows changes in steps of 5 %, and most epochs have the same.
        """
        few = len(examples.validation) < FEWEST_FOR_SHARES
        return "loss" if config.metric is None and few else self.watched(config)

    def confusions(self, predictions: Any, rows: Rows, examples: Examples) -> tuple[Confusion, ...]:
        """Return which classes were taken for which, most often first; arguments as for :meth:`figures`."""
        return ()

    def measured(self, config: TrainConfig, examples: Examples) -> tuple[str, ...]:
        """Return those of :attr:`metrics` that can be computed on the held-out rows."""
        return self.metrics

    def check_metric(self, config: TrainConfig, examples: Examples) -> None:
        """Check that the metric can be computed on the held-out rows.

        Raises:
            InvalidArgumentError: it cannot; the message lists the metrics that can.
        """
        known = (*self.measured(config, examples), "loss")
        if config.metric not in (None, *known):
            raise InvalidArgumentError(
                f"metric is {config.metric!r}, which cannot be measured here; these held-out rows have "
                f"{', '.join(known)}"
            )


def known_figures(metrics: Mapping[str, float], prefix: str, names: Sequence[str]) -> dict[str, float]:
    """Select the named figures from the trainer's metrics."""
    return {name: metrics[f"{prefix}{name}"] for name in names if f"{prefix}{name}" in metrics}


def get_task(name: str) -> TrainingTask:
    """Return the task of that Hugging Face name; its file is imported now.

    Raises:
        KeyError: there is none; :class:`TrainConfig` refuses it before.
    """
    if name not in TASKS:
        raise KeyError(name)
    task: TrainingTask = importlib.import_module(f"linnet_train.tasks.{name.replace('-', '_')}").TASK
    return task
