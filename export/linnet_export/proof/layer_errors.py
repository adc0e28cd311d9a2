"""Quantization error of each layer, measured on the texts of the proof.

Each linear layer and embedding table has two figures. Both are the relative L2 error of its output over all
tokens of all texts, sqrt(sum |y' - y|^2) / sqrt(sum |y|^2), where y is the output of the layer in the float32
graph for its true input:

``given``
    y' is the output of the quantized layer for the same true input. This is the error that the layer itself
    causes, independent of all other layers, so it is the figure for choosing precisions.
``running``
    y' is the output of the layer in the quantized model, where its input has the errors of all layers before
    it. This shows where errors accumulate: a layer with a small ``given`` and a large ``running`` error is not
    their cause.

The float32 graph is the device graph without quantization, because its layers have the same names and inputs
as the quantized ones (scales and biases are folded). The proof with the recipe fp32 shows that it equals the
original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from linnet.format.evidence import LayerError

__all__ = ["layer_errors"]


class _Sums:
    """Sums of squares of the outputs and errors of one layer, in float64."""

    def __init__(self) -> None:
        self.truth = self.given = self.running = 0.0

    def add(self, truth: Tensor, given: Tensor, running: Tensor) -> None:
        exact = truth.double()
        self.truth += float(exact.square().sum())
        self.given += float((given.double() - exact).square().sum())
        self.running += float((running.double() - exact).square().sum())

    def relative(self, squares: float) -> float:
        # a layer whose true output is zero everywhere has no norm to divide by
        return float((squares / self.truth) ** 0.5) if self.truth > 0 else float(squares > 0)


def layer_errors(
    original: nn.Module,
    quantized: nn.Module,
    texts: Sequence[tuple[Tensor, ...]],
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, LayerError]:
    """Measure the errors of every linear layer and embedding table, by name in the order of the graph.

    Both errors are 0 for a layer that is not quantized and whose input has no error.

    Args:
        original: the float32 device graph.
        quantized: the quantized device graph; a layer has the same name in both.
        texts: inputs of both graphs, int64 [1, tokens] each; at least one text.
        progress: called with the number of finished texts.
    """
    names = [name for name, module in original.named_modules() if isinstance(module, nn.Linear | nn.Embedding)]
    sums = {name: _Sums() for name in names}
    with torch.inference_mode():
        for number, inputs in enumerate(texts, 1):
            with _watched(original, names) as truth:
                original(*inputs)
            with _watched(quantized, names) as running:
                quantized(*inputs)
            for name, calls in truth.items():
                layer = quantized.get_submodule(name)
                for (x, y), (_, now) in zip(calls, running[name], strict=True):
                    sums[name].add(y, layer(x), now)
            progress(number)
    # a layer that no text uses has no error, such as the token type table of a program without that input
    return {
        name: LayerError(layer.relative(layer.given), layer.relative(layer.running))
        for name, layer in sums.items()
        if truth.get(name)
    }


@contextmanager
def _watched(module: nn.Module, names: Sequence[str]) -> Iterator[Mapping[str, list[tuple[Tensor, Tensor]]]]:
    """Record the input and output of each call of the named layers inside of the block, with forward hooks."""
    seen: dict[str, list[tuple[Tensor, Tensor]]] = {}

    def keep(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        return lambda _module, given, result: seen.setdefault(name, []).append((given[0], result))

    handles = [module.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
