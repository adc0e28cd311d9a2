"""Observers of linear layers during calibration: ranges and Hessians."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from linnet_export.quantize.operators import round_activations

__all__ = ["OBSERVERS", "HessianObserver", "Observer", "Range", "RangeObserver", "Spread"]

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


@dataclasses.dataclass
class Spread:
    """Observed values of one tensor.

    Attributes:
        low, high: least and greatest value.
        samples: float32 [n] each, an even sample of every run.
    """

    low: float = float("inf")
    high: float = float("-inf")
    samples: list[Tensor] = dataclasses.field(default_factory=list)

    def update(self, x: Tensor) -> None:
        """Take float32 of any shape."""
        self.low, self.high = min(self.low, x.min().item()), max(self.high, x.max().item())
        # a copy: a view would keep the whole tensor
        self.samples.append(x.flatten()[:: max(1, x.numel() // _SAMPLE)].clone())


Range = Callable[[Spread], tuple[float, float]]
"""From what was seen to the least and greatest value that a scale has to hold."""


def _minmax(seen: Spread) -> tuple[float, float]:
    return seen.low, seen.high


def _percentile(seen: Spread) -> tuple[float, float]:
    values = torch.cat(seen.samples).sort().values
    cut = int(len(values) * _CUT)
    return values[cut].item(), values[len(values) - 1 - cut].item()


OBSERVERS: dict[str, Range] = {"minmax": _minmax, "percentile": _percentile}
"""By the name that ``--observer`` takes; those of PyTorch and ONNX Runtime."""


class RangeObserver:
    """The range of a layer's inputs and outputs."""

    def __init__(self, choose: Range) -> None:
        self.tokens = 0
        self._choose = choose
        self._inputs = Spread()
        self._outputs = Spread()

    def update(self, x: Tensor, y: Tensor) -> None:
        """Take float32 inputs [tokens, in] and outputs [tokens, out]."""
        self._inputs.update(x)
        self._outputs.update(y)
        self.tokens += len(x)

    def inputs(self) -> tuple[float, float]:
        """Return the least and greatest input."""
        return self._choose(self._inputs)

    def outputs(self) -> tuple[float, float]:
        """Return the least and greatest output."""
        return self._choose(self._outputs)
