"""Loss, order of rows, augmentation, calibration and whole checkpoints, each against a calculation by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from linnet_train.checkpoints import last_complete, mark_complete
from linnet_train.config import DistillationConfig
from linnet_train.data.augmentation import augment
from linnet_train.data.batches import NO_LABEL, Collator, LengthGroupedSampler, Rows
from linnet_train.distill.losses import Loss, class_weights
from linnet_train.techniques.calibration import Calibration, fit_temperature, fold, out_of_scope_shift


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


def rows_of(lengths: list[int]) -> Rows:
    """Rows of so many tokens."""
    return Rows([{"input_ids": [1] * length} for length in lengths], [0] * len(lengths))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    lengths = [(7 * place) % 23 + 1 for place in range(500)]
    sampler = LengthGroupedSampler(rows_of(lengths), 8, seed=3)
    torch.manual_seed(0)
    first = list(sampler)
    torch.manual_seed(1)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert sorted(sampler) == list(range(500))


def test_neighbours_have_about_the_same_length() -> None:
    lengths = [(7 * place) % 23 + 1 for place in range(400)]
    order = list(LengthGroupedSampler(rows_of(lengths), 8, seed=0))
    spans = [[lengths[place] for place in order[start : start + 8]] for start in range(0, 400, 8)]
    assert max(max(span) - min(span) for span in spans) <= 2


def test_batches_are_padded_to_their_longest() -> None:
    rows = [
        {"input_ids": [5, 6, 7], "token_type_ids": [0, 0, 1], "labels": 1, "teacher_logits": torch.ones(2)},
        {"input_ids": [8], "token_type_ids": [0], "labels": NO_LABEL, "teacher_logits": torch.zeros(2)},
    ]
    batch = Collator(9)(rows)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 1], [0, 0, 0]]
    assert batch["labels"].tolist() == [1, NO_LABEL]
    assert batch["teacher_logits"].tolist() == [[1, 1], [0, 0]]


def test_made_texts_are_new_and_of_the_corpus() -> None:
    texts = ["play some music now please", "open a bank account", "one"]
    made = augment(texts, 20, 0)
    words = {word for text in texts for word in text.split()}
    assert made
    assert not set(made) & set(texts)
    assert len(set(made)) == len(made)
    assert {word for text in made for word in text.split()} <= words
    assert augment(texts, 20, 0) == made != augment(texts, 20, 1)


def test_the_temperature_is_found_again() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 3, generator=generator) * 2
    labels = torch.multinomial(torch.softmax(logits, dim=1), 1, generator=generator).squeeze(1)
    assert fit_temperature(logits * 4, labels) == pytest.approx(4, rel=0.05)


def test_the_shift_leaves_the_wanted_share_in_scope() -> None:
    # in-scope margins over class 2 (out of scope): 1, 2, ..., 10; the row of class 2 does not count
    logits = torch.tensor([[float(margin), 0.0, 0.0] for margin in range(1, 11)] + [[0.0, 0.0, 9.0]])
    labels = torch.tensor([0] * 10 + [2])
    shift = out_of_scope_shift(logits, labels, 2, in_scope_recall=0.8)
    shifted = logits + torch.tensor([0.0, 0.0, shift])
    assert (shifted[:10].argmax(dim=1) != 2).sum() == 8
    assert shift == pytest.approx(3, abs=1e-3)


def test_calibration_folds_into_the_last_layer() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3))
    inputs = torch.randn(5, 4)
    with torch.no_grad():
        before = model(inputs)
        fold(model, Calibration(temperature=1.7, shift=0.3), 2)
        expected = before / 1.7 + torch.tensor([0.0, 0.0, 0.3])
        torch.testing.assert_close(model(inputs), expected)


def test_only_whole_checkpoints_count(tmp_path: Path) -> None:
    for steps in (9, 10, 11):
        (tmp_path / f"checkpoint-{steps}").mkdir()
        (tmp_path / f"checkpoint-{steps}" / "model.safetensors").touch()
    assert last_complete(tmp_path / "nowhere") is None
    mark_complete(tmp_path / "checkpoint-9")
    mark_complete(tmp_path / "checkpoint-10")
    assert last_complete(tmp_path) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-11").exists()
