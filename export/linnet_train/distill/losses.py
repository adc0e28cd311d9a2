"""Supervised and distillation losses, and class weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from linnet_train.config import DistillationConfig
from linnet_train.data.batches import NO_LABEL

__all__ = ["Loss", "class_weights", "softened"]


class Loss:
    """Cross entropy with the labels, and with a teacher's softened answers."""

    def __init__(
        self,
        distillation: DistillationConfig | None,
        class_weights: Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        self._distillation = distillation
        self._class_weights = class_weights
        self._smoothing = label_smoothing

    def __call__(self, logits: Tensor, labels: Tensor, teacher: dict[str, Tensor], hidden: Tensor | None) -> Tensor:
        """Return the loss of a batch.

        Args:
            logits: float [rows, classes].
            labels: int64 [rows]; :data:`NO_LABEL` where only the teacher answers.
            teacher: `teacher_logits` float32 [rows, classes], `teacher_hidden` float32 [rows, width].
            hidden: the student's first token of its last layer, float [rows, width].
        """
        logits = logits.float()
        supervised = self._supervised(logits, labels)
        settings = self._distillation
        if settings is None or "teacher_logits" not in teacher:
            return supervised
        loss = (1 - settings.weight) * supervised
        loss = loss + settings.weight * softened(logits, teacher["teacher_logits"], settings.temperature)
        if hidden is not None:
            distance = 1 - nn.functional.cosine_similarity(hidden.float(), teacher["teacher_hidden"], dim=-1)
            loss = loss + settings.hidden_weight * distance.mean()
        return loss

    def _supervised(self, logits: Tensor, labels: Tensor) -> Tensor:
        if bool((labels == NO_LABEL).all()):
            return logits.sum() * 0
        weights = None if self._class_weights is None else self._class_weights.to(logits.device)
        return nn.functional.cross_entropy(
            logits, labels, weight=weights, ignore_index=NO_LABEL, label_smoothing=self._smoothing
        )


def softened(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return the Kullback-Leibler divergence at a temperature, times its square (Hinton et al., section 2).

    Args:
        logits: float [rows, classes], the student's.
        teacher: likewise.
        temperature: of both.
    """
    return temperature**2 * nn.functional.kl_div(
        torch.log_softmax(logits.float() / temperature, dim=-1),
        torch.log_softmax(teacher.float() / temperature, dim=-1),
        reduction="batchmean",
        log_target=True,
    )


def class_weights(labels: Sequence[int], count: int) -> Tensor:
    """Return rows / (classes * rows of the class) for each class, as scikit-learn's `balanced`: float32 [classes]."""
    rows = torch.bincount(torch.tensor(labels), minlength=count).clamp(min=1)
    return len(labels) / (count * rows.float())
