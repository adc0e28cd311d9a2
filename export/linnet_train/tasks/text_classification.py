"""Text classification, single texts or pairs, with an optional out-of-scope class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from linnet_bench.accuracy import metrics
from linnet_train.config import TrainConfig
from linnet_train.data.batches import NO_LABEL, Rows, encode, text_pairs
from linnet_train.data.rows import Example, Examples
from linnet_train.distill.losses import Loss, class_weights
from linnet_train.loading import Loaded, load_classifier
from linnet_train.report import RIGHT_SCORE, Confusion, count_confusions
from linnet_train.tasks.base import Answers, Step, TrainingTask
from linnet_train.tasks.rows.text_classification import DESCRIPTION, IN_SCOPE_METRICS
from linnet_train.techniques.contrast import contrastive_loss, read_by_last_layer

__all__ = ["TASK", "classification_figures"]


class TextClassification(TrainingTask):
    """The task."""

    description = DESCRIPTION
    teacher_beside = False

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`."""
        return load_classifier(name, examples.labels, config.optimizer.dropout)

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; a label is the number of a class."""
        numbers = {label: place for place, label in enumerate(examples.labels)}
        inputs = encode(tokenizer, text_pairs(rows), config.max_length)
        return Rows(inputs, [numbers[row.label] for row in rows])

    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """See :class:`TrainingTask`: :class:`Loss`, with a teacher's answers where the batch has them; or contrast."""
        if config.optimizer.objective == "contrast":
            return _contrast
        supervised = [label for label in rows.labels if label != NO_LABEL]
        balanced = config.optimizer.class_weights == "balanced"
        loss = Loss(
            config.distillation,
            class_weights(supervised, len(examples.labels)) if balanced else None,
            config.optimizer.label_smoothing,
        )

        def run(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            labels = inputs.pop("labels")
            teacher = {name: inputs.pop(name) for name in list(inputs) if name.startswith("teacher_")}
            wanted = {"output_hidden_states": True} if "teacher_hidden" in teacher else {}
            outputs = model(**inputs, **wanted)
            hidden = outputs.hidden_states[-1][:, 0] if "teacher_hidden" in teacher else None
            return loss(outputs.logits, labels, teacher, hidden), {"logits": outputs.logits}

        return run

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """See :class:`TrainingTask`; a teacher was asked once for all rows, and :class:`Loss` has its answers."""
        return None

    def watched(self, config: TrainConfig) -> str:
        """See :class:`TrainingTask`; an untrained last layer has no accuracy worth watching."""
        return "loss" if config.optimizer.objective == "contrast" else super().watched(config)

    def measured(self, config: TrainConfig, examples: Examples) -> tuple[str, ...]:
        """See :class:`TrainingTask`; out-of-scope figures need held-out rows that are out of scope."""
        outside = any(example.label == examples.out_of_scope for example in examples.validation)
        return self.metrics if outside else IN_SCOPE_METRICS

    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """See :func:`classification_figures`."""
        return classification_figures(predictions, np.asarray(rows.labels), examples.labels, examples.out_of_scope)

    def confusions(self, predictions: Any, rows: Rows, examples: Examples) -> tuple[Confusion, ...]:
        """See :class:`TrainingTask`."""
        found = np.asarray(predictions).argmax(axis=1)
        names = examples.labels
        return count_confusions([names[label] for label in rows.labels], [names[label] for label in found])


def _contrast(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    labels = inputs.pop("labels")
    features, logits = read_by_last_layer(model, inputs)
    # the last layer has a gradient too, of zeros: several processes wait for one of every weight
    return contrastive_loss(features, labels) + 0 * logits.sum(), {"logits": logits}


def classification_figures(
    logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], names: Sequence[str], out_of_scope: str | None
) -> dict[str, float]:
    """Return accuracy, macro_f1 and the mean score of the right class; with an out-of-scope label its figures too.

    Args:
        logits: float32 [rows, classes].
        labels: int64 [rows].
        names: of the classes.
        out_of_scope: label of requests that belong to no class, or None.
    """
    predicted = logits.argmax(axis=1)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = shifted / shifted.sum(axis=1, keepdims=True)
    figures = {
        "accuracy": metrics.accuracy(labels.tolist(), predicted.tolist()),
        "macro_f1": metrics.macro_f1(labels.tolist(), predicted.tolist()),
        RIGHT_SCORE: float(scores[np.arange(len(labels)), labels].mean()) if len(labels) else float("nan"),
    }
    if out_of_scope is None:
        return figures
    expected = [names[label] for label in labels]
    inside = [place for place, name in enumerate(names) if name != out_of_scope]
    return figures | metrics.out_of_scope_scores(
        expected, [names[label] for label in predicted], scores[:, inside].max(axis=1).tolist(), out_of_scope
    )


TASK = TextClassification()
