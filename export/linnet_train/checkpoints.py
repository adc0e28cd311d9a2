"""Completeness marks of optimizer checkpoints, so that a killed training resumes from a complete one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

__all__ = ["PREFIX", "checkpoint_bytes", "last_complete", "last_step", "mark_complete", "model_bytes"]

PREFIX = "checkpoint-"
_MARK = "complete"


def model_bytes(model: Any) -> int:
    """Return the bytes of all weights of a model."""
    return sum(parameter.nbytes for parameter in model.parameters())


def checkpoint_bytes(model: Any) -> int:
    """Return about how many bytes an optimizer's checkpoint needs: weights, and AdamW's two moments of the trained."""
    return model_bytes(model) + 2 * sum(weight.nbytes for weight in model.parameters() if weight.requires_grad)


def mark_complete(checkpoint: Path) -> None:
    """Bring every file of a checkpoint to the disk, then say that it is whole."""
    for path in checkpoint.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    (checkpoint / _MARK).touch()
    for folder in (checkpoint, checkpoint.parent):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def last_complete(directory: Path) -> Path | None:
    """Return the whole checkpoint with the most steps, None without one; half-written ones are removed."""
    checkpoints: dict[int, Path] = {}
    for path in directory.glob(f"{PREFIX}*"):
        steps = path.name.removeprefix(PREFIX)
        if steps.isdigit() and (path / _MARK).is_file():
            checkpoints[int(steps)] = path
        else:
            shutil.rmtree(path)
    return checkpoints[max(checkpoints)] if checkpoints else None


def last_step(directory: Path) -> int | None:
    """Return the steps of the last whole checkpoint, None without one; nothing is removed."""
    marked = [path.parent.name.removeprefix(PREFIX) for path in directory.glob(f"{PREFIX}*/{_MARK}")]
    return max((int(steps) for steps in marked if steps.isdigit()), default=None)
