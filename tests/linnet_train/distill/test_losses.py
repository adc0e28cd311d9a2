"""Losses, each against scikit-learn or a calculation by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from linnet_train.config import DistillationConfig
from linnet_train.data.batches import NO_LABEL
from linnet_train.distill.losses import Loss, class_weights


def test_class_weights_are_scikit_learns() -> None:
    labels = [0, 0, 0, 1, 2, 2]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert class_weights(labels, 3).tolist() == pytest.approx(list(expected))


def test_distillation_loss_by_hand() -> None:
    logits, teacher = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    settings = DistillationConfig(teacher="t", temperature=2.0, weight=0.75)
    found = Loss(settings)(logits, torch.tensor([0]), {"teacher_logits": teacher}, None)
    student, target = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))  # softened by 2: differences of 1
    divergence = target * math.log(target / student) + (1 - target) * math.log((1 - target) / (1 - student))
    entropy = -math.log(1 / (1 + math.exp(-2)))
    assert float(found) == pytest.approx(0.25 * entropy + 0.75 * 4 * divergence, rel=1e-6)


def test_rows_without_a_label_have_the_teacher_alone() -> None:
    settings = DistillationConfig(teacher="t", temperature=1.0, weight=0.5)
    logits = torch.randn(2, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([NO_LABEL, NO_LABEL])
    assert float(Loss(settings)(logits, labels, {"teacher_logits": logits}, None)) == pytest.approx(0, abs=1e-6)


def test_the_hidden_state_counts_by_its_cosine() -> None:
    settings = DistillationConfig(teacher="t", temperature=1.0, weight=1.0, hidden_weight=3.0)
    logits, hidden = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
    teacher = {"teacher_logits": torch.zeros(1, 2), "teacher_hidden": torch.tensor([[1.0, 1.0]])}
    found = Loss(settings)(logits, torch.tensor([0]), teacher, hidden)
    assert float(found) == pytest.approx(3 * (1 - math.sqrt(0.5)), rel=1e-5)


def test_without_answers_of_the_teacher_the_loss_is_cross_entropy() -> None:
    logits, labels = torch.tensor([[1.0, 0.0]]), torch.tensor([1])
    found = Loss(DistillationConfig(teacher="t"))(logits, labels, {}, None)
    assert float(found) == pytest.approx(math.log(1 + math.e), rel=1e-6)
