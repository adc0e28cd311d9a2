"""Limits of what a checkpoint's files may say, checked before anything is built from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from linnet_export.errors import CheckpointError
from linnet_export.file_damage import safetensors_header

__all__ = ["check_sizes", "path_inside"]

_MOST_POSITIONS = 1 << 20
_MOST_WIDTH = 1 << 16  # of a matrix that no weight has: what is larger is no mistake of a few rows
_MOST_LAYERS = 100
_LAYERS = ("num_hidden_layers", "n_layers", "num_layers", "n_layer")
_HEADS = ("num_attention_heads", "n_heads", "n_head")
_WIDTHS = ("dim", "hidden_dim", "n_embd")


def path_inside(directory: Path, name: object, file: Path) -> Path:
    """Return the path of a file or folder that a file of a checkpoint names.

    Args:
        directory: the checkpoint's directory.
        name: the name, relative to the directory.
        file: the file that has the name, for error messages.

    Raises:
        CheckpointError: the name leads out of the directory, or is no name.
    """
    if not isinstance(name, str):
        raise CheckpointError(f"{file}: expected the name of a file of this checkpoint, got {name!r}")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise CheckpointError(f"{file} names {name!r}, which is outside of the checkpoint; do not use it")
    return directory / name


def check_sizes(file: Path, settings: Mapping[str, Any], weights: Sequence[Path]) -> None:
    """Refuse sizes in config.json that the weights cannot have, for which gigabytes would be allocated.

    Args:
        file: path of config.json, for error messages.
        settings: its content.
        weights: the safetensors files of the checkpoint.

    Raises:
        CheckpointError: a size is no whole number, not positive, or beyond all weights; the message lists all of them.
    """
    shapes = [tensor["shape"] for path in weights for tensor in safetensors_header(path).values()]
    width = max((int(extent) for shape in shapes for extent in shape), default=0)
    most = {
        **dict.fromkeys(_LAYERS, max(_MOST_LAYERS, len(shapes))),
        **dict.fromkeys(_WIDTHS, max(_MOST_WIDTH, width)),
        **dict.fromkeys(_HEADS, max(_MOST_WIDTH, width)),
        "max_position_embeddings": _MOST_POSITIONS,
    }
    problems = []
    for name, value in settings.items():
        largest = max(_MOST_WIDTH, width) if name.endswith("_size") else most.get(name)
        if largest is None or value is None:
            continue
        least = 0 if name == "type_vocab_size" else 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= largest:
            problems.append(f"{name} is {str(value)[:40]}, expected {least} to {largest}")
    if problems:
        raise CheckpointError(f"{file}: {'; '.join(problems)}; config.json and weights do not belong together")
