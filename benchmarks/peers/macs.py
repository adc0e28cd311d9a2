"""Multiply-accumulates of one text, counted from a configuration: pure arithmetic.

A linear layer of ``inputs`` x ``outputs`` on ``tokens`` rows takes tokens * inputs * outputs multiply-accumulates
(MACs). Attention's two matrix products take 2 * tokens^2 * width for each layer, width being that of all heads
together (Vaswani et al. 2017, section 3.2); they are counted separately, because they are not int8 linear layers. Not
counted: embeddings (a look-up), normalization, softmax, GELU, biases, pooling, and the pooler, which is not run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Linear", "attention_macs", "linear_macs", "linears"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Linear:
    """Linear layers of one shape.

    Attributes:
        inputs, outputs: numbers of features.
        count: number of such layers that one text passes through.
    """

    inputs: int
    outputs: int
    count: int


def linears(config: Mapping[str, Any]) -> list[Linear]:
    """Return the linear layers of an encoder, one entry for each shape.

    Args:
        config: values of ``config.json``; model_type "bert" (Devlin et al. 2019) or "mobilebert" (Sun et al. 2020,
            table 1, with shared key and query bottleneck).

    Raises:
        KeyError: another model type.
    """
    shapes = {"bert": _bert, "mobilebert": _mobilebert}[config["model_type"]](config)
    counts: dict[tuple[int, int], int] = {}
    for inputs, outputs, count in shapes:
        counts[inputs, outputs] = counts.get((inputs, outputs), 0) + count
    return [Linear(inputs=inputs, outputs=outputs, count=count) for (inputs, outputs), count in counts.items()]


def _bert(config: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    layers, width, inner = config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"]
    # query, key, value and output; up and down
    return [(width, width, 4 * layers), (width, inner, layers), (inner, width, layers)]


def _mobilebert(config: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    layers, width, inner = config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"]
    bottleneck, networks = config["intra_bottleneck_size"], config["num_feedforward_networks"]
    return [
        (3 * config["embedding_size"], width, 1),  # trigram input to the body's width
        (width, bottleneck, 2 * layers),  # bottleneck of the input; of key and query together
        (bottleneck, bottleneck, 2 * layers),  # query, key
        (width, bottleneck, layers),  # value reads the wide input
        (bottleneck, bottleneck, layers),  # attention output
        (bottleneck, inner, networks * layers),
        (inner, bottleneck, networks * layers),
        (bottleneck, width, layers),  # out of the bottleneck
    ]


def linear_macs(layers: Sequence[Linear], tokens: int) -> int:
    """Return the MACs of linear layers on ``tokens`` rows."""
    return sum(tokens * layer.inputs * layer.outputs * layer.count for layer in layers)


def attention_macs(config: Mapping[str, Any], tokens: int) -> int:
    """Return the MACs of queries with keys and of weights with values, over all layers."""
    width = config["hidden_size"] if config["model_type"] == "bert" else config["intra_bottleneck_size"]
    return int(2 * tokens * tokens * width * config["num_hidden_layers"])
