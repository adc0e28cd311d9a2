"""Low-rank adapters in the files of `peft`: found, and merged into the weights of their base model.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", <https://arxiv.org/abs/2106.09685>: a layer W becomes
W + alpha / rank * B A. `peft` need not be installed.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from linnet_export.checkpoint.source import find_local, has_weights
from linnet_export.errors import CheckpointError
from linnet_export.file_damage import read_json, safetensors_header

__all__ = ["Adapter", "find_adapter", "merge_adapter", "name_forms"]

_TASKS = {
    "SEQ_CLS": "ForSequenceClassification",
    "TOKEN_CLS": "ForTokenClassification",
    "QUESTION_ANS": "ForQuestionAnswering",
}
"""`task_type` of peft -> how the names of its classes end in `architectures`."""

# peft replaces the base weights by what is left of them after its decomposition
_CHANGES_THE_BASE = ("pissa", "olora", "corda", "loftq", "eva", "lora_ga")
_MERGE = "merge it with peft (model.merge_and_unload().save_pretrained(DIRECTORY)) and export that"


@dataclasses.dataclass(frozen=True)
class Adapter:
    """An adapter on disk.

    Attributes:
        directory: its folder.
        base: folder of the base model's weights.
        config: adapter_config.json.
    """

    directory: Path
    base: Path
    config: Mapping[str, Any]

    @property
    def weights(self) -> Path:
        """The adapter's safetensors file."""
        return self.directory / "adapter_model.safetensors"

    @property
    def architecture_suffix(self) -> str:
        """How the class of its task ends in `architectures`; empty if it names none."""
        return _TASKS.get(str(self.config.get("task_type")), "")

    def trained_modules(self) -> set[str]:
        """Return the names of the tensors that it holds whole (`modules_to_save`), as the base model has them."""
        return {_plain(key) for key in safetensors_header(self.weights) if "lora_" not in key}


def find_adapter(directory: Path) -> Adapter | None:
    """Return the adapter in a checkpoint's folder; None if there is none.

    The base model is that of the same folder, if it has weights; else the one that adapter_config.json names, if it
    is on this machine.

    Raises:
        CheckpointError: its files are incomplete, it is of another kind, or its base model is not on this machine.
    """
    path = directory / "adapter_config.json"
    if not path.is_file():
        return None
    config = read_json(path)
    _check_kind(path, config)
    adapter = Adapter(directory, _base(directory, config), config)
    if not adapter.weights.is_file():
        pickled = (directory / "adapter_model.bin").exists()
        found = "found adapter_model.bin, which linnet never loads" if pickled else "found none"
        raise CheckpointError(f"{directory}: expected adapter_model.safetensors beside adapter_config.json, {found}")
    safetensors_header(adapter.weights)
    return adapter


def _check_kind(path: Path, config: Mapping[str, Any]) -> None:
    kind = str(config.get("peft_type"))
    if kind.rpartition(".")[2].upper() != "LORA":
        raise CheckpointError(f"{path}: peft_type is {kind}, supported is LORA; {_MERGE}")
    start = str(config.get("init_lora_weights")).lower()
    if start.startswith(_CHANGES_THE_BASE):
        raise CheckpointError(f"{path}: init_lora_weights is {start}, which changes the base weights; {_MERGE}")
    for setting in ("layer_replication", "megatron_config", "trainable_token_indices", "target_parameters"):
        if config.get(setting):
            raise CheckpointError(f"{path}: {setting} is set, which linnet does not support; {_MERGE}")


def _base(directory: Path, config: Mapping[str, Any]) -> Path:
    if has_weights(directory):
        return directory
    name = str(config.get("base_model_name_or_path") or "")
    base = find_local(name, directory, str(config.get("revision") or "main"))
    if base is None:
        raise CheckpointError(
            f"{directory} is an adapter, and its base model {name or '(unnamed)'} is not on this machine; put the "
            f"base model's files beside it (hf download {name or 'NAME'} --local-dir {directory}), or {_MERGE}"
        )
    if (base / "adapter_config.json").is_file():
        raise CheckpointError(f"{directory}: its base model {base} has an adapter itself; {_MERGE}")
    return base


def merge_adapter(model: Any, adapter: Adapter) -> tuple[str, tuple[str, ...]]:
    """Merge an adapter into a model's weights, in place.

    Returns:
        a sentence about it, and the names of the tensors that belong to no part of the model.

    Raises:
        CheckpointError: a layer is missing or has another shape, or the adapter holds what linnet does not know.
    """
    layers: dict[str, dict[str, Tensor]] = {}
    whole: dict[str, Tensor] = {}
    for key, tensor in load_file(adapter.weights).items():
        name, found, part = _plain(key).partition(".lora_")
        if found:
            layers.setdefault(name, {})[part.removesuffix(".weight")] = tensor.to(torch.float32)
        else:
            whole[name] = tensor.to(torch.float32)
    ranks = sorted({len(tensor) for parts in layers.values() for part, tensor in parts.items() if part.endswith("A")})
    with torch.no_grad():
        for name, parts in layers.items():
            _merge_layer(_module(model, name, adapter), name, parts, adapter)
        unused = tuple(name for name, tensor in whole.items() if not _replaced(model, name, tensor, adapter))
    merged = f"LoRA adapter of rank {', '.join(map(str, ranks))} merged into {len(layers)} layers"
    return f"{merged} of {adapter.base.name}" if adapter.base != adapter.directory else merged, unused


def _plain(key: str) -> str:
    """Return the name in the base model: without the wrappers of peft."""
    name = key.removeprefix("base_model.model.")
    return name.replace(".base_layer.", ".").replace(".modules_to_save.default.", ".").replace(".modules_to_save.", ".")


def name_forms(model: Any, name: str) -> tuple[str, ...]:
    """Return a name of a weight or layer as it is, and with and without the prefix of the model without its head."""
    # trained with a head and exported without, or the other way round
    prefix = f"{model.base_model_prefix}."
    return (name, prefix + name, name.removeprefix(prefix))


def _module(model: Any, name: str, adapter: Adapter) -> nn.Module:
    modules = dict(model.named_modules())
    for candidate in name_forms(model, name):
        if isinstance(modules.get(candidate), nn.Linear | nn.Embedding):
            return modules[candidate]
    raise CheckpointError(
        f"{adapter.weights}: {name} is no linear layer or embedding of the model; expected its own base model"
    )


def _merge_layer(layer: Any, name: str, parts: dict[str, Tensor], adapter: Adapter) -> None:
    embedding = isinstance(layer, nn.Embedding)
    down, up = (parts.pop(f"embedding_{part}" if embedding else part, None) for part in ("A", "B"))
    magnitude, bias = parts.pop("magnitude_vector", None), parts.pop("B.bias", None)
    dora_embedding = embedding and magnitude is not None
    if down is None or up is None or parts or dora_embedding or (bias is not None and layer.bias is None):
        raise CheckpointError(f"{adapter.weights}: layer {name} has an unknown form ({', '.join(parts)}); {_MERGE}")
    scale = _scale(adapter.config, name, len(down))
    if up.shape[1] != len(down) or (delta := up @ down).shape != (layer.weight.T if embedding else layer.weight).shape:
        raise CheckpointError(
            f"{adapter.weights}: layer {name} has {list(up.shape)} x {list(down.shape)}, its base model's weight has "
            f"{list(layer.weight.shape)}; adapter and base model do not belong together"
        )
    weight = (layer.weight.T if embedding else layer.weight) + scale * delta
    if magnitude is not None:  # DoRA: the direction is learned apart from the length of each row
        weight = magnitude.reshape(-1, 1) / weight.norm(dim=1, keepdim=True) * weight
    layer.weight.copy_(weight.T if embedding else weight)
    if bias is not None:
        layer.bias.add_(scale * bias)


def _scale(config: Mapping[str, Any], name: str, rank: int) -> float:
    alpha = float(config.get("lora_alpha", 8))
    for pattern, other in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", name):
            alpha = float(other)
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _replaced(model: Any, name: str, tensor: Tensor, adapter: Adapter) -> bool:
    parameters = dict(model.named_parameters())
    for candidate in name_forms(model, name):
        if candidate not in parameters:
            continue
        if parameters[candidate].shape != tensor.shape:
            raise CheckpointError(
                f"{adapter.weights}: {name} has the shape {list(tensor.shape)}, the model's "
                f"{list(parameters[candidate].shape)}; for another number of classes, name them as id2label in the "
                f"config.json of {adapter.base}"
            )
        parameters[candidate].copy_(tensor)
        return True
    return False
