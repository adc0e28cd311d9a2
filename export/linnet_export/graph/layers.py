"""Layers of the device graph, written so that XNNPACK takes them whole.

Tokens travel as one matrix [tokens, width], where tokens = batch * length, so that a graph has a single
dynamic dimension and every reshape has at most one unknown size. What XNNPACK cannot take would split
the program into partitions, each with its own set-up and memory traffic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet_export.lower.custom_ops import add_layer_norm, int8_attention, int8_biased_attention, layer_norm

__all__ = [
    "ACTIVATIONS",
    "MASKED_SCORE",
    "Activation",
    "Affine",
    "Attention",
    "BatchLayout",
    "EncoderLayer",
    "LayerNorm",
    "OutputLinear",
    "copy_linear",
    "first_tokens",
    "frozen_parameter",
    "make_linear",
    "per_token",
    "scaled_linear",
    "shifted_linear",
]

Activation: TypeAlias = Callable[[Tensor], Tensor]

MASKED_SCORE = -10000.0
"""Added to the attention score of a padding token (the constant of the original BERT code).

It is finite on purpose: exp() of it is exactly 0 in float32, and quantization survives it.
"""


class BatchLayout(NamedTuple):
    """Division of the token matrix of one run into texts.

    Attributes:
        batch: number of texts; the int 1 where the graph holds a single text.
        length: tokens per text.
        keep: float32 [batch, length], 1 for a token and 0 for padding; None for a single text.
        score_bias: float32, added to the attention scores [batch * heads, length, length], to whose shape it
            broadcasts; None for a single text, unless the architecture has a bias of its own. If fused, that bias
            is float32 [heads, 2 * most tokens], by heads and by the distance query - key.
        pooled: float32 [batch, length], 1 for a token that is pooled, 0 for one of a prompt and for padding; None:
            every token is.
        fused: attention, and the normalizations between layers, are custom operators of the linnet runtime.
    """

    batch: int
    length: int
    keep: Tensor | None = None
    score_bias: Tensor | None = None
    pooled: Tensor | None = None
    fused: bool = False


def _gelu_tanh(x: Tensor) -> Tensor:
    # spelled out: the XNNPACK partitioner takes aten.gelu and ignores its `approximate` argument
    inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * (x * x * x))
    return 0.5 * x * (1.0 + torch.tanh(inner))


def _silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def _mish(x: Tensor) -> Tensor:
    # x * tanh(log(1 + u)) with u = e^x, without the logarithm; from 20 on the factor is 1 in float32
    u = torch.exp(torch.clamp(x, max=20.0))
    square = u * (u + 2.0)
    return x * (square / (square + 2.0))


ACTIVATIONS: dict[str, Activation] = {
    "gelu": functional.gelu,
    "gelu_10": lambda x: torch.clamp(functional.gelu(x), -10.0, 10.0),
    "gelu_accurate": _gelu_tanh,
    "gelu_fast": _gelu_tanh,
    "gelu_new": _gelu_tanh,
    "gelu_python": functional.gelu,
    "gelu_python_tanh": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "leaky_relu": functional.leaky_relu,
    "linear": lambda x: x,
    "mish": _mish,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "relu": functional.relu,
    "relu2": lambda x: functional.relu(x) * functional.relu(x),
    "relu6": lambda x: torch.clamp(x, 0.0, 6.0),
    "sigmoid": torch.sigmoid,
    "silu": _silu,
    "swish": _silu,
    "tanh": torch.tanh,
}
"""Activations by their name in config.json."""


class LayerNorm(nn.Module):
    """Layer normalization over the last dimension, from operators that XNNPACK has.

    Means are products with a constant row of 1/n, and eps is the bias of the second product:
    y = (x - mean) / sqrt(mean((x - mean)^2) + eps) * weight + bias.

    Without its bias, whoever reads the result has to add ``norm.bias`` (see :func:`shifted_linear`).
    """

    def __init__(self, norm: nn.LayerNorm, *, with_bias: bool = True) -> None:
        super().__init__()
        width = norm.normalized_shape[-1]
        self.weight = _frozen(norm.weight)
        self.bias = _frozen(norm.bias) if with_bias else None
        self.average: Tensor
        self.register_buffer("average", torch.full((1, width), 1.0 / width))
        self.zero: Tensor
        self.register_buffer("zero", torch.zeros(1))
        self.eps: Tensor
        self.register_buffer("eps", torch.full((1,), norm.eps))
        self.epsilon = norm.eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalize float32 [tokens, width]."""
        centred = x - functional.linear(x, self.average, self.zero)
        variance = functional.linear(centred * centred, self.average, self.eps)
        scaled = centred * torch.rsqrt(variance) * self.weight
        return scaled if self.bias is None else scaled + self.bias

    def of(self, x: Tensor, layout: BatchLayout) -> Tensor:
        """Normalize float32 [tokens, width]."""
        if not layout.fused:
            result: Tensor = self(x)
            return result
        scaled = layer_norm(x, self.weight, self.epsilon)
        return scaled if self.bias is None else scaled + self.bias

    def of_sum(self, x: Tensor, residual: Tensor, layout: BatchLayout) -> Tensor:
        """Normalize the sum of two float32 [tokens, width]."""
        if not layout.fused:
            return self(x + residual)
        scaled = add_layer_norm(x, residual, self.weight, self.epsilon)
        return scaled if self.bias is None else scaled + self.bias


class Affine(nn.Module):
    """x * weight + bias by element: what MobileBERT calls NoNorm."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight = _frozen(weight)
        self.bias = _frozen(bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift float32 [tokens, width]."""
        return x * self.weight + self.bias


class OutputLinear(nn.Linear):
    """The last, narrow layer of a task. Recipes leave it in float32: it is tiny and decides the answer."""


class Attention(nn.Module):
    """Multi-head self-attention without its output projection.

    The factor 1/sqrt(width of a head) is folded into the query weights, which must come unscaled.
    With a ``shift`` float32 [width], the inputs come without that constant part.
    """

    def __init__(
        self, query: nn.Linear, key: nn.Linear, value: nn.Linear, heads: int, shift: Tensor | None = None
    ) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = query.out_features // heads
        scale = torch.full((query.out_features,), self.head_width**-0.5)
        self.query = scaled_linear(shifted_linear(query, shift), scale)
        self.key = shifted_linear(key, shift)
        self.value = shifted_linear(value, shift)

    def forward(self, query_in: Tensor, key_in: Tensor, value_in: Tensor, layout: BatchLayout) -> Tensor:
        """Return float32 [tokens, heads * head_width] of three float32 [tokens, width]."""
        if layout.fused:
            query, key, value = self.query(query_in), self.key(key_in), self.value(value_in)
            if layout.score_bias is None:
                return int8_attention(query, key, value, self.heads)
            return int8_biased_attention(query, key, value, layout.score_bias, self.heads)
        query = self._split(self.query(query_in), layout)
        key = self._split(self.key(key_in), layout, transposed=True)
        value = self._split(self.value(value_in), layout)
        scores = torch.bmm(query, key)
        if layout.score_bias is not None:
            scores = scores + layout.score_bias
        return self._join(torch.bmm(torch.softmax(scores, -1), value), layout)

    def _split(self, x: Tensor, layout: BatchLayout, *, transposed: bool = False) -> Tensor:
        if layout.keep is None:
            heads = x.view(-1, self.heads, self.head_width)
            return heads.permute(1, 2, 0) if transposed else heads.permute(1, 0, 2)
        heads = x.view(layout.batch, layout.length, self.heads, self.head_width)
        if transposed:
            shape = (layout.batch * self.heads, self.head_width, layout.length)
            return heads.permute(0, 2, 3, 1).reshape(shape)
        shape = (layout.batch * self.heads, layout.length, self.head_width)
        return heads.permute(0, 2, 1, 3).reshape(shape)

    def _join(self, x: Tensor, layout: BatchLayout) -> Tensor:
        if layout.keep is None:
            # view(-1, ...), not reshape: reshape would write the symbolic length into the graph
            return x.permute(1, 0, 2).contiguous().view(-1, self.heads * self.head_width)
        heads = x.view(layout.batch, self.heads, layout.length, self.head_width).permute(0, 2, 1, 3)
        return heads.reshape(layout.batch * layout.length, self.heads * self.head_width)


class EncoderLayer(nn.Module):
    """One post-norm transformer layer, as BERT, DistilBERT and ELECTRA have it.

    The biases of both normalizations are folded into the layers that read them, which saves XNNPACK two
    passes over the tokens. So a layer takes and gives its tokens without a constant part.

    Attributes:
        shift: float32 [width], what has to be added to the result.
    """

    def __init__(
        self,
        attention: Attention,
        attention_output: nn.Linear,
        attention_norm: nn.LayerNorm,
        expand: nn.Linear,
        activation: Activation,
        contract: nn.Linear,
        output_norm: nn.LayerNorm,
        shift: Tensor | None,
    ) -> None:
        """Take the parts of a layer; ``shift`` is missing from its input, and ``attention`` knows it."""
        super().__init__()
        ones = torch.ones(attention_output.out_features)
        self.attention = attention
        self.attention_output = scaled_linear(attention_output, ones, shift)
        self.attention_norm = LayerNorm(attention_norm, with_bias=False)
        self.expand = shifted_linear(expand, attention_norm.bias)
        self.activation = activation
        self.contract = scaled_linear(contract, ones, attention_norm.bias)
        self.output_norm = LayerNorm(output_norm, with_bias=False)
        self.shift = output_norm.bias.detach()

    def forward(self, x: Tensor, layout: BatchLayout) -> Tensor:
        """Map float32 [tokens, width] to the same shape."""
        attended = self.attention_output(self.attention(x, x, x, layout))
        x = self.attention_norm.of_sum(attended, x, layout)
        return self.output_norm.of_sum(self.contract(self.activation(self.expand(x))), x, layout)


def first_tokens(x: Tensor, layout: BatchLayout) -> Tensor:
    """Return float32 [batch, width], the first token of every text of float32 [tokens, width]."""
    return per_token(x, layout)[:, 0]


def per_token(x: Tensor, layout: BatchLayout) -> Tensor:
    """Return float32 [tokens, width] as [batch, length, width]."""
    return x.view(layout.batch, -1, x.shape[-1])


def scaled_linear(linear: nn.Linear, scale: Tensor, shift: Tensor | None = None) -> nn.Linear:
    """Return a copy of ``linear`` that computes ``linear(x) * scale + shift``, scale and shift by output."""
    copy = copy_linear(linear)
    with torch.no_grad():
        copy.weight.mul_(scale.unsqueeze(1))
        if copy.bias is not None:
            copy.bias.mul_(scale)
        if shift is not None:
            copy.bias = _frozen(shift if copy.bias is None else copy.bias + shift)
    return copy


def shifted_linear(linear: nn.Linear, shift: Tensor | None) -> nn.Linear:
    """Return a copy of ``linear`` that computes ``linear(x + shift)``, shift by input."""
    if shift is None:
        return copy_linear(linear)
    with torch.no_grad():
        added = (linear.weight.double() @ shift.double()).float()
    return scaled_linear(linear, torch.ones(linear.out_features), added)


def copy_linear(linear: nn.Linear, kind: type[nn.Linear] = nn.Linear) -> nn.Linear:
    """Return a frozen float32 copy of ``linear`` as ``kind``; the original is never touched."""
    return make_linear(linear.weight, linear.bias, kind)


def make_linear(weight: Tensor, bias: Tensor | None, kind: type[nn.Linear] = nn.Linear) -> nn.Linear:
    """Return a frozen linear layer of weight [out, in] and bias [out]."""
    copy = kind(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    copy.weight = _frozen(weight)
    if bias is not None:
        copy.bias = _frozen(bias)
    return copy


def frozen_parameter(tensor: Tensor) -> nn.Parameter:
    """Return a contiguous float32 copy that takes no gradient."""
    return _frozen(tensor)


def _frozen(tensor: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor.detach().to(torch.float32).clone(), requires_grad=False)
