"""Rows that the export of a training is proven on."""

from __future__ import annotations

import json
from pathlib import Path

from linnet_train import DataConfig, OptimizerConfig, TrainConfig, train
from tests.support.training import easy_rows, write_rows


def test_few_held_out_rows_are_joined_by_training_rows(encoder: Path, tmp_path: Path) -> None:
    """A proof needs at least four texts; a tenth of 30 rows can be three."""
    rows = easy_rows(30)
    settings = TrainConfig(
        model=str(encoder), output=tmp_path / "out", data=DataConfig(train=write_rows(tmp_path / "rows.jsonl", rows)),
        optimizer=OptimizerConfig(epochs=1, batch_size=16), max_length=16,
    )  # fmt: skip
    train(settings)
    training = tmp_path / "out" / "training"
    held_out, proof = (
        [json.loads(line)["text"] for line in (training / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in ("held_out", "proof")
    )
    assert 0 < len(held_out) < 8
    assert proof[: len(held_out)] == held_out
    assert len(proof) == 16
    assert set(proof) <= {row["text"] for row in rows}
