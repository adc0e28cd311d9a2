"""Low-rank adapters (LoRA) by `peft`, merged into the weights after training.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", <https://arxiv.org/abs/2106.09685>: a layer W learns
alpha / rank * B A beside its frozen weights, and W + alpha / rank * B A is saved. A checkpoint that was trained with
adapters is therefore exported like any other, and its program is as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from linnet_export.errors import CheckpointError
from linnet_export.graph.decoders import supported_decoders
from linnet_train.config import AdapterConfig

__all__ = ["add_adapters", "merge_adapters", "trained_parameters"]


def add_adapters(model: Any, config: AdapterConfig) -> str:
    """Insert adapters into ``model``, in place, and freeze the rest; the head of an encoder stays trainable.

    Args:
        model: a model of transformers with a head.
        config: rank and layers.

    Returns:
        a sentence about what is trained.

    Raises:
        CheckpointError: the model has no layers of these names.
    """
    from peft import LoraConfig, inject_adapter_in_model

    names = _targets(model, config.targets)
    settings = LoraConfig(
        r=config.rank, lora_alpha=config.scale, lora_dropout=config.dropout, target_modules=names, bias="none"
    )
    inject_adapter_in_model(settings, model)
    body = f"{model.base_model_prefix}."
    generates = model.config.model_type in supported_decoders()
    for name, parameter in model.named_parameters():
        if not generates and (not name.startswith(body) or ".pooler." in name):
            parameter.requires_grad_(True)  # the head and what leads to it, which are often new
    return (
        f"adapters of rank {config.rank} in {len(names)} layers: {trained_parameters(model):,} of "
        f"{sum(parameter.numel() for parameter in model.parameters()):,} weights are trained"
    )


def merge_adapters(model: Any) -> None:
    """Merge the adapters into the weights of their layers and remove them, in place."""
    from peft.tuners.lora import LoraLayer

    adapted = [(name, module) for name, module in model.named_modules() if isinstance(module, LoraLayer)]
    for name, module in adapted:
        owner, _, attribute = name.rpartition(".")
        module.merge(safe_merge=True)
        setattr(model.get_submodule(owner), attribute, module.get_base_layer())
    model.requires_grad_(True)


def trained_parameters(model: nn.Module) -> int:
    """Count the trainable weights."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _targets(model: Any, wanted: Sequence[str]) -> list[str]:
    """Return the full names of the encoder's linear layers that are meant."""
    body = model.base_model_prefix
    linears = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.startswith(f"{body}.") and ".pooler." not in name
    ]
    chosen = [name for name in linears if not wanted or _ends(name, wanted)]
    missing = [target for target in wanted if not any(_ends(name, (target,)) for name in linears)]
    if missing or not chosen:
        known = sorted({_generic(name, body) for name in linears})
        raise CheckpointError(
            f"adapters: no layer is called {', '.join(missing) or '(any)'}; the model has {', '.join(known)}"
        )
    return chosen


def _ends(name: str, wanted: Sequence[str]) -> bool:
    return any(name == end or name.endswith(f".{end}") for end in wanted)


def _generic(name: str, body: str) -> str:
    """`attention.self.query` of `bert.encoder.layer.3.attention.self.query`."""
    parts = name.removeprefix(f"{body}.").split(".")
    numbers = [place for place, part in enumerate(parts) if part.isdigit()]
    return ".".join(parts[numbers[0] + 1 :] if numbers else parts)
