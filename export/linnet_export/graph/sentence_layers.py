"""Layers of sentence-transformers between the pooling and the embedding, under PyTorch: Dense and Normalize."""

from __future__ import annotations

from torch import Tensor, nn

from linnet_export.errors import CheckpointError

__all__ = ["DENSE_ACTIVATIONS", "Dense", "Normalize", "output_width"]

DENSE_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "GELU": nn.GELU,
    "Identity": nn.Identity,
    "Mish": nn.Mish,
    "ReLU": nn.ReLU,
    "SiLU": nn.SiLU,
    "Sigmoid": nn.Sigmoid,
    "Tanh": nn.Tanh,
}
"""Activation functions of a Dense module by their class in torch.nn, made without arguments as sentence-transformers
does."""


class Dense(nn.Module):
    """A linear layer with an activation behind it, and perhaps its own input added.

    Attributes:
        linear: the layer.
        activation: what follows it.
        residual: the layer through which the input is added; nn.Identity where it is added as it is; None: not at all.
    """

    def __init__(self, linear: nn.Linear, activation: nn.Module, residual: nn.Module | None = None) -> None:
        super().__init__()
        self.linear = linear
        self.activation = activation
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [texts, in] to float32 [texts, out]."""
        out: Tensor = self.activation(self.linear(x))
        return out if self.residual is None else out + self.residual(x)


class Normalize(nn.Module):
    """Division of each embedding by its length."""

    def forward(self, x: Tensor) -> Tensor:
        """Return float32 [texts, width] of unit length."""
        return nn.functional.normalize(x, p=2, dim=-1)


def output_width(layers: tuple[nn.Module, ...], width: int) -> int:
    """Return the width behind ``layers`` of an embedding that is ``width`` wide before them.

    Raises:
        CheckpointError: a layer expects another width.
    """
    for layer in layers:
        taken, given = width, width
        if isinstance(layer, Dense):
            taken, given = layer.linear.in_features, layer.linear.out_features
        elif isinstance(layer, nn.LayerNorm):
            taken = given = layer.normalized_shape[0]
        if taken != width:
            raise CheckpointError(
                f"the sentence-transformers module {type(layer).__name__} takes {taken} numbers, the pooling before it "
                f"gives {width}; give the pooling that it was trained with"
            )
        width = given
    return width
