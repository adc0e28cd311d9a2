"""What can be watched at a linear layer while calibration texts run through the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from linnet_export.recipes.operators import round_activations

__all__ = ["OBSERVERS", "HessianObserver", "Observer", "Range", "RangeObserver"]

_SAMPLE = 256
"""Values kept of one run for a percentile: a thousand texts through a hundred layers then take 200 MB."""

_CUT = 1e-4
"""Share of the values that a percentile leaves out at either end."""


class Observer(Protocol):
    """Sees every input and output of one layer."""

    tokens: int

    def update(self, x: Tensor, y: Tensor) -> None:
        """Take float32 inputs [tokens, in] and outputs [tokens, out] of one run."""


class HessianObserver:
    """The mean product of the inputs with themselves: half the Hessian of a layer's squared error.

    The inputs are rounded to int8 first, because that is what the quantized layer will see.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self._sum: Tensor | None = None

    def update(self, x: Tensor, y: Tensor) -> None:
        """Take float32 inputs [tokens, in]; the outputs are not looked at."""
        x = round_activations(x)
        product = x.t() @ x
        self._sum = product if self._sum is None else self._sum.add_(product)
        self.tokens += len(x)

    def hessian(self) -> Tensor:
        """Return float32 [in, in].

        Raises:
            RuntimeError: nothing was seen yet.
        """
        if self._sum is None:
            raise RuntimeError("no text was run through this layer")
        return torch.div(self._sum, self.tokens)


Range = Callable[[list[Tensor]], tuple[float, float]]
"""From samples, float32 each, to the least and greatest value that a scale has to hold."""


def _minmax(samples: list[Tensor]) -> tuple[float, float]:
    return min(each.min().item() for each in samples), max(each.max().item() for each in samples)


def _percentile(samples: list[Tensor]) -> tuple[float, float]:
    values = torch.cat([each.flatten()[:: max(1, each.numel() // _SAMPLE)] for each in samples]).sort().values
    cut = int(len(values) * _CUT)
    return values[cut].item(), values[len(values) - 1 - cut].item()


OBSERVERS: dict[str, Range] = {"minmax": _minmax, "percentile": _percentile}
"""By the name that ``--observer`` takes; those of PyTorch and ONNX Runtime."""


class RangeObserver:
    """The range of a layer's inputs and outputs."""

    def __init__(self, choose: Range) -> None:
        self.tokens = 0
        self._choose = choose
        self._inputs: list[Tensor] = []
        self._outputs: list[Tensor] = []

    def update(self, x: Tensor, y: Tensor) -> None:
        """Take float32 inputs [tokens, in] and outputs [tokens, out]."""
        self._inputs.append(_thinned(x))
        self._outputs.append(_thinned(y))
        self.tokens += len(x)

    def inputs(self) -> tuple[float, float]:
        """Return the least and greatest input."""
        return self._choose(self._inputs)

    def outputs(self) -> tuple[float, float]:
        """Return the least and greatest output."""
        return self._choose(self._outputs)


def _thinned(x: Tensor) -> Tensor:
    """Return both extremes of x and an even sample of the rest."""
    sample = x.flatten()[:: max(1, x.numel() // _SAMPLE)]
    return torch.cat([sample, x.amin().reshape(1), x.amax().reshape(1)])
