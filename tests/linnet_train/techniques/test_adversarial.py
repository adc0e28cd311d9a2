"""Embeddings moved against the model: along the gradient, as far as asked, and a harder text than before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from linnet.errors import InvalidArgumentError
from linnet_train import DataConfig, OptimizerConfig, TrainConfig, train
from linnet_train.techniques.adversarial import embedding_shift, with_adversary
from tests.support.checkpoints import write_checkpoint
from tests.support.training import assert_same_weights, train_until_killed


def test_the_shift_by_hand() -> None:
    embedding = torch.tensor([[[3.0, 0.0], [0.0, 4.0]]])  # 5 long
    gradient = torch.tensor([[[0.0, 0.3], [0.4, 0.0]]])  # 0.5 long
    assert embedding_shift(embedding, gradient, 0.1).flatten().tolist() == pytest.approx([0.0, 0.3, 0.4, 0.0])
    assert not embedding_shift(embedding, torch.zeros_like(gradient), 0.1).any()


def _step(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    labels = inputs.pop("labels")
    logits = model(**inputs).logits
    return torch.nn.functional.cross_entropy(logits, labels), {"logits": logits}


@pytest.mark.parametrize("frozen", [False, True])
def test_moved_texts_are_harder(frozen: bool, tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "model", "bert", "text-classification", num_labels=3)
    model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
        checkpoint, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    model.get_input_embeddings().requires_grad_(not frozen)
    batch = {"input_ids": torch.arange(5, 29).view(4, 6), "labels": torch.tensor([0, 1, 2, 0])}
    model.train()
    own = float(_step(model, dict(batch))[0])
    small, large = (float(with_adversary(_step, share)(model, dict(batch))[0]) - own for share in (0.01, 0.05))
    assert own < small < large  # both losses together; the moved one is the larger
    loss, _ = with_adversary(_step, 0.05)(model, dict(batch))
    loss.backward()
    assert (model.get_input_embeddings().weight.grad is None) is frozen
    model.eval()
    assert float(with_adversary(_step, 0.05)(model, dict(batch))[0]) == pytest.approx(own)
    assert with_adversary(_step, 0.0) is _step


def test_a_killed_training_goes_on(encoder: Path, rows_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    def settings(output: str, **changes: Any) -> TrainConfig:
        optimizer = OptimizerConfig(epochs=2, batch_size=32, learning_rate=5e-3, adversarial=0.02)
        return TrainConfig(model=str(encoder), output=tmp_path / output, data=DataConfig(train=rows_file),
                           optimizer=optimizer, save_steps=2, **changes)  # fmt: skip

    train(settings("a"))
    train_until_killed(settings("b"), 2, monkeypatch)
    train(settings("b", resume=True))
    assert_same_weights(tmp_path / "a", tmp_path / "b")


def test_impossible_settings_are_refused(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="adversarial is -1"):
        TrainConfig(
            model="m", output=tmp_path, data=DataConfig(train=rows_file), optimizer=OptimizerConfig(adversarial=-1)
        )
    with pytest.raises(InvalidArgumentError, match="leave out adversarial"):
        TrainConfig(model="m", output=tmp_path, data=DataConfig(train=rows_file),
                    optimizer=OptimizerConfig(adversarial=0.1, objective="contrast"))  # fmt: skip
