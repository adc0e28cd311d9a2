"""Checkpoints that count only when they are whole."""

from __future__ import annotations

from pathlib import Path

from linnet_train.checkpoints import last_complete, mark_complete


def test_only_whole_checkpoints_count(tmp_path: Path) -> None:
    for steps in (9, 10, 11):
        (tmp_path / f"checkpoint-{steps}").mkdir()
        (tmp_path / f"checkpoint-{steps}" / "model.safetensors").touch()
    assert last_complete(tmp_path / "nowhere") is None
    mark_complete(tmp_path / "checkpoint-9")
    mark_complete(tmp_path / "checkpoint-10")
    assert last_complete(tmp_path) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-11").exists()
