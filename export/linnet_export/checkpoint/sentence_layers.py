"""Reading of sentence-transformers modules behind the pooling: Dense, LayerNorm, Normalize, Dropout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from linnet_export.checkpoint.source import weight_files
from linnet_export.errors import CheckpointError
from linnet_export.file_damage import read_json, read_json_if_there
from linnet_export.graph.sentence_layers import DENSE_ACTIVATIONS, Dense, Normalize

__all__ = ["read_layer"]


def read_layer(kind: str, directory: Path) -> tuple[nn.Module | None, list[Path]]:
    """Return a module with its weights in eval mode, and the files of the weights.

    Args:
        kind: class of sentence-transformers; None is returned for Dropout, which does nothing outside of training.
        directory: its folder.

    Raises:
        CheckpointError: a file is missing, or a setting is not supported.
    """
    if kind == "Dropout":
        return None, []
    if kind == "Normalize":
        _check_names(read_json_if_there(directory / "config.json"), directory)
        return Normalize(), []
    files = weight_files(directory)
    weights: dict[str, Tensor] = {}
    for file in files:
        weights |= {name: tensor.to(torch.float32) for name, tensor in safetensors.torch.load_file(file).items()}
    settings = read_json(directory / "config.json")
    layer = _layer_norm(settings) if kind == "LayerNorm" else _dense(settings, directory)
    try:
        layer.load_state_dict(weights if kind == "Dense" else {n.removeprefix("norm."): t for n, t in weights.items()})
    except RuntimeError as error:
        raise CheckpointError(f"{directory}: the weights do not belong to its config.json: {error}") from error
    return layer.eval().requires_grad_(False), files


def _layer_norm(settings: dict[str, Any]) -> nn.Module:
    return nn.LayerNorm(int(settings["dimension"]))


def _dense(settings: dict[str, Any], directory: Path) -> nn.Module:
    _check_names(settings, directory)
    name = str(settings.get("activation_function", "torch.nn.Tanh"))
    short = name.rsplit(".", 1)[-1]
    if not name.startswith("torch.nn.") or short not in DENSE_ACTIVATIONS:
        raise CheckpointError(
            f"{directory}: activation_function is {name}, supported are those of torch.nn: "
            f"{', '.join(DENSE_ACTIVATIONS)}"
        )
    size = int(settings["in_features"]), int(settings["out_features"])
    residual: nn.Module | None = None
    if settings.get("use_residual"):
        residual = nn.Identity() if size[0] == size[1] else nn.Linear(*size, bias=False)
    return Dense(nn.Linear(*size, bias=bool(settings.get("bias", True))), DENSE_ACTIVATIONS[short](), residual)


def _check_names(settings: dict[str, Any], directory: Path) -> None:
    for key in ("module_input_name", "module_output_name"):
        if settings.get(key) not in (None, "sentence_embedding"):
            raise CheckpointError(f"{directory}: {key} is {settings[key]}, supported is sentence_embedding")
