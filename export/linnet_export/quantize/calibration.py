"""Calibration: texts run through the model while observers watch its layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from linnet_export.quantize.observers import Observer

__all__ = ["CalibrationTexts", "observe"]

CalibrationTexts: TypeAlias = Sequence[tuple[Tensor, ...]]
"""For each text the inputs of the device graph, int64 [1, tokens] each."""


def observe(
    module: nn.Module,
    texts: CalibrationTexts,
    observers: Mapping[str, Observer],
    progress: Callable[[str], None] = lambda text: None,
) -> None:
    """Run every text through ``module``; the layer of each name is shown to its observer."""
    hooks = [
        module.get_submodule(name).register_forward_hook(_shower(observer)) for name, observer in observers.items()
    ]
    try:
        with torch.inference_mode():
            for number, inputs in enumerate(texts, 1):
                progress(f"calibration text {number} of {len(texts)}")
                module(*inputs)
    finally:
        for hook in hooks:
            hook.remove()


def _shower(observer: Observer) -> Callable[[nn.Module, Any, Tensor], None]:
    def show(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        x = inputs[0]
        observer.update(x.reshape(-1, x.shape[-1]), output.reshape(-1, output.shape[-1]))

    return show
