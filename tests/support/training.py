"""Small labelled data, interrupted trainings and comparison of their weights."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from linnet_train import TrainConfig, train, trainer
from linnet_train.checkpoints import mark_complete

WORDS = {
    "music": "play music turn volume up",
    "bank": "open account bank card money",
    "travel": "train settings reset password",
    "oos": "rain sun bakery closed",
}


def write_rows(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def easy_rows(count: int, seed: int = 0) -> list[dict[str, object]]:
    """Return rows whose words give the label away."""
    generator = random.Random(seed)
    rows: list[dict[str, object]] = []
    for index in range(count):
        label = list(WORDS)[index % len(WORDS)]
        words = [generator.choice(WORDS[label].split()) for _ in range(generator.randint(2, 6))]
        rows.append({"text": " ".join(["the", *words]), "label": label})
    return rows


def train_until_killed(settings: TrainConfig, whole: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Train until the next checkpoint after ``whole`` of them is written and not yet marked; return their names."""
    marked: list[str] = []

    def mark(checkpoint: Path) -> None:
        if len(marked) == whole:
            raise KeyboardInterrupt
        marked.append(checkpoint.name)
        mark_complete(checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "mark_complete", mark)
        with pytest.raises(KeyboardInterrupt):
            train(settings)
    return marked


def assert_same_weights(left: Path, right: Path) -> None:
    """Two checkpoints have the same weights, bit for bit."""
    one, other = (load_file(path / "model.safetensors") for path in (left, right))
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
