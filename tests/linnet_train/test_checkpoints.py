"""Checkpoints that count only when they are whole."""

from __future__ import annotations

from pathlib import Path

import torch

from linnet_train.checkpoints import checkpoint_bytes, last_complete, mark_complete, model_bytes


def test_only_whole_checkpoints_count(tmp_path: Path) -> None:
    for steps in (9, 10, 11):
        (tmp_path / f"checkpoint-{steps}").mkdir()
        (tmp_path / f"checkpoint-{steps}" / "model.safetensors").touch()
    assert last_complete(tmp_path / "nowhere") is None
    mark_complete(tmp_path / "checkpoint-9")
    mark_complete(tmp_path / "checkpoint-10")
    assert last_complete(tmp_path) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-11").exists()


def test_the_bytes_of_a_checkpoint_are_those_of_weights_and_moments() -> None:
    """3 x 4 + 4 float32 weights; the bias is not trained, so the moments are two of the matrix."""
    layer = torch.nn.Linear(3, 4)
    layer.bias.requires_grad_(False)
    assert model_bytes(layer) == 16 * 4
    assert checkpoint_bytes(layer) == 16 * 4 + 2 * 12 * 4
