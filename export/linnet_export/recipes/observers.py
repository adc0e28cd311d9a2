"""What can be watched at a linear layer while calibration texts run through the model."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from linnet_export.recipes.operators import round_activations

__all__ = ["HessianObserver", "Observer"]


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
