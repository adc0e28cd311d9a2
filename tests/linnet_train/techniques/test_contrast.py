"""Learning by contrast: the loss against its definition, the order of rows, and what an encoder gets from it."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import InvalidArgumentError
from linnet_train import CalibrationConfig, DataConfig, OptimizerConfig, TrainConfig, train
from linnet_train.data.batches import Rows
from linnet_train.techniques.contrast import ClassGroupedSampler, contrastive_loss, read_by_last_layer
from tests.support.checkpoints import write_checkpoint
from tests.support.training import easy_rows, write_rows


def by_definition(features: list[list[float]], labels: list[int], temperature: float) -> float:
    """Khosla et al., equation 2, term by term."""

    def product(left: list[float], right: list[float]) -> float:
        lengths = math.hypot(*left) * math.hypot(*right)
        return sum(a * b for a, b in zip(left, right, strict=True)) / lengths / temperature

    terms = []
    for i, label in enumerate(labels):
        others = [j for j in range(len(labels)) if j != i]
        alike = [j for j in others if labels[j] == label]
        if alike:
            whole = sum(math.exp(product(features[i], features[a])) for a in others)
            logs = [math.log(math.exp(product(features[i], features[p])) / whole) for p in alike]
            terms.append(-sum(logs) / len(alike))
    return sum(terms) / len(terms) if terms else 0.0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10**6)), min_size=1, max_size=12), st.floats(0.05, 2))
def test_the_loss_is_that_of_the_paper(rows: list[tuple[int, int]], temperature: float) -> None:
    features = [torch.randn(5, generator=torch.Generator().manual_seed(seed)).tolist() for _, seed in rows]
    labels = [label for label, _ in rows]
    found = contrastive_loss(torch.tensor(features), torch.tensor(labels), temperature)
    assert float(found) == pytest.approx(by_definition(features, labels, temperature), rel=1e-4, abs=1e-4)


def test_a_batch_without_pairs_has_no_gradient_and_no_nan() -> None:
    features = torch.randn(3, 4, requires_grad=True)
    contrastive_loss(features, torch.tensor([0, 1, 2])).backward()
    assert features.grad is not None
    assert float(features.grad.abs().max()) == 0


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(0, 9), st.integers(0, 3))
def test_rows_of_a_class_stand_together_and_each_comes_once(labels: list[int], seed: int, epoch: int) -> None:
    sampler = ClassGroupedSampler(Rows([{}] * len(labels), labels), seed)
    sampler.set_epoch(epoch)
    order = list(sampler)
    assert sorted(order) == list(range(len(labels)))
    assert order == list(sampler)  # a resumed training goes on where it was
    changes = sum(labels[a] != labels[b] for a, b in itertools.pairwise(order))
    assert changes <= sum(math.ceil(labels.count(label) / 4) for label in set(labels))


def test_few_rows_hold_classes_apart_and_a_head_learns_them(tmp_path: Path) -> None:
    encoder = write_checkpoint(tmp_path / "encoder", task="feature-extraction")
    data = DataConfig(train=write_rows(tmp_path / "rows.jsonl", easy_rows(40)), validation_split=0.2)
    contrast = OptimizerConfig(objective="contrast", epochs=20, batch_size=16, learning_rate=5e-3, dropout=0.0)
    first = train(TrainConfig(model=str(encoder), output=tmp_path / "embedder", data=data, optimizer=contrast))
    assert any("not trained" in note for note in first.notes)
    assert first.best_epoch == 0  # the last
    assert separation(tmp_path / "embedder") > separation(encoder) + 0.2

    head = OptimizerConfig(freeze="body", epochs=20, batch_size=8, learning_rate=3e-2, dropout=0.0)
    second = train(TrainConfig(model=str(first.output), output=tmp_path / "head", data=data, optimizer=head))
    assert second.figures["accuracy"] >= 0.9
    assert second.notes == ()


def separation(checkpoint: Path) -> float:
    """Mean cosine within a class less that between classes, of rows that were not trained on."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    rows = easy_rows(40, seed=7)
    with torch.no_grad():
        read, _ = read_by_last_layer(model, tokenizer([row["text"] for row in rows], padding=True, return_tensors="pt"))
    unit = torch.nn.functional.normalize(read, dim=-1)
    cosines = unit @ unit.T
    same = torch.tensor([[a["label"] == b["label"] for b in rows] for a in rows])
    return float(cosines[same].mean() - cosines[~same].mean())


def test_contrast_refuses_what_needs_a_last_layer(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"leave out calibration, label_smoothing, metric = accuracy"):
        TrainConfig(
            model="x", output=tmp_path, data=DataConfig(train=tmp_path), metric="accuracy",
            optimizer=OptimizerConfig(objective="contrast", label_smoothing=0.1),
            calibration=CalibrationConfig(temperature=True),
        )  # fmt: skip
