"""Quantization-aware training: fake quantization of weights and activations.

Linear layers and the word embedding are quantized as the recipe of the export does it
(:mod:`linnet_export.quantize.prepare`); the last layer stays float32 in both. The exporter folds constants into the
layers, so quantized activations differ slightly; quantized weights are equal.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from linnet_export.config import QuantizationConfig
from linnet_export.quantize.plan import quantizable
from linnet_export.quantize.prepare import prepare_for_training
from linnet_export.quantize.quantize import put_layer
from linnet_export.quantize.recipes import Recipe
from linnet_train.loading import last_layer

__all__ = ["insert_fake_quantization", "remove_fake_quantization"]


def insert_fake_quantization(model: Any, recipe: Recipe) -> dict[str, nn.Module]:
    """Replace the layers of ``model`` by fake-quantized ones, in place.

    Args:
        model: a model of transformers with a head.
        recipe: of the export.

    Returns:
        its layers by name, for :func:`remove_fake_quantization`; they share their weights with the
            layers in their place.

    Raises:
        NotTrainableError: the recipe has a precision without a fake-quantized layer.
    """
    layers = quantizable(model)
    last, words = last_layer(model), model.get_input_embeddings()
    keep = [(name, "fp32") for name, layer in layers.items() if layer is last or isinstance(layer, nn.Embedding)]
    # the exporter knows the word embedding by its own name for it
    keep += [(name, recipe.embedding.name) for name, layer in layers.items() if layer is words]
    prepare_for_training(model, recipe, QuantizationConfig(keep=tuple(keep)))
    return dict(layers)


def remove_fake_quantization(model: Any, layers: dict[str, nn.Module]) -> None:
    """Undo :func:`insert_fake_quantization`, in place; the weights are the trained ones."""
    for name, layer in layers.items():
        put_layer(model, name, layer)
