"""Work of one text, in MACs and bytes, counted from the layers and operators in a file's evidence.

Linear layers: tokens x inputs x outputs multiply-accumulates for each run of each layer. Attention: two products of
tokens^2 x width for each layer, width being that of all heads together (Vaswani et al. 2017, section 3.2). Everything
between is counted as moved, not computed: bytes that are read and written, float32.

The evidence has no number of heads; softmax is counted with heads of 64 channels, of 32 in models less than 512 wide.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from linnet.errors import InvalidArgumentError
from linnet.format.evidence import Evidence, Instruction, LayerPrecision
from linnet.format.manifest import Manifest
from linnet_bench.tasks import get_task

__all__ = ["Attention", "Linear", "Work", "count_work", "moved_bytes", "operators_of"]

_FLOAT = 4  # bytes
_OPERANDS: Mapping[str, int] = {
    **{"add": 3, "sub": 3, "mul": 3, "div": 3, "multiply": 3, "add_layer_norm": 3, "layer_norm": 2},
    **{"gelu": 2, "tanh": 2, "sigmoid": 2, "clamp": 2, "rsqrt": 2, "permute_copy": 2, "clone": 2},
}
"""Number of tensors that an operator between the products reads and writes."""

_SOFTMAX_PASSES = 4  # highest value, exponentials, sum and scale: read, read, write, read and write in place


@dataclasses.dataclass(frozen=True, kw_only=True)
class Linear:
    """One linear layer.

    Attributes:
        inputs, outputs: numbers of features.
        runs: number of runs in one text.
        int8: activations are int8 in its product.
        stored_bytes: bytes of its weights.
        every_token: it runs on each token, not on one row.
    """

    inputs: int
    outputs: int
    runs: int
    int8: bool
    stored_bytes: int
    every_token: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attention:
    """One attention layer: two products, each tokens^2 x width."""

    width: int
    heads: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fused:
    """What remains between the products in `forward_fused`, where linnet has fast kernels for it.

    Attributes:
        token_bytes, operators: as in :class:`Work`.
        int8_linear: its linear layers are custom kernels too, and include the operators that follow them.
    """

    token_bytes: int
    operators: int
    int8_linear: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """The work of one text.

    Attributes:
        linears, attentions: what is computed.
        token_bytes: bytes read and written between the products for each token.
        operators: number of operators that run, each with a cost of its own.
        fused: the last two for `forward_fused`; None: the file has none.
    """

    linears: tuple[Linear, ...]
    attentions: tuple[Attention, ...]
    token_bytes: int
    operators: int
    fused: Fused | None = None

    def linear_macs(self, tokens: int, *, int8: bool) -> int:
        """Return the MACs of all linear layers, either those with int8 products or the others."""
        return sum(
            (tokens if linear.every_token else 1) * linear.inputs * linear.outputs * linear.runs
            for linear in self.linears if linear.int8 is int8
        )  # fmt: skip

    def attention_macs(self, tokens: int) -> int:
        """Return the MACs of queries with keys and of weights with values."""
        return sum(2 * tokens * tokens * attention.width for attention in self.attentions)

    def moved_bytes(self, tokens: int, *, fused: bool) -> int:
        """Return the bytes read and written between the products; the custom attention kernel keeps scores in cache."""
        if fused:
            return tokens * (self.token_bytes if self.fused is None else self.fused.token_bytes)
        scores = sum(attention.heads * tokens * tokens for attention in self.attentions)
        return tokens * self.token_bytes + _SOFTMAX_PASSES * _FLOAT * scores

    @property
    def weight_bytes(self) -> int:
        """Return the bytes of the weights that every text reads."""
        return sum(linear.stored_bytes for linear in self.linears)


def count_work(manifest: Manifest, evidence: Evidence) -> Work:
    """Count the work of ``forward``, and of ``forward_fused`` if there is one, from the evidence.

    Raises:
        InvalidArgumentError: the evidence has no layers or no debug map: an old file.
    """
    layers, places = evidence.report.layers, evidence.places.get("forward")
    if not layers or not places:
        raise InvalidArgumentError("the file does not say what it computes; export it again with this linnet")
    operators = [*operators_of(places)]
    linears = [*_linears(layers, operators, get_task(manifest.task).every_token)]
    if not linears:
        raise InvalidArgumentError("the file's evidence names no linear layer; export it again with this linnet")
    outputs = {layer.name: layer.shape[0] for layer in layers if layer.kind == "linear"}
    width = max(set(outputs.values()), key=[*outputs.values()].count)
    own = [*operators_of(evidence.places.get("forward_fused", ()))]
    return Work(
        linears=tuple(linears),
        attentions=tuple(_attentions(operators, outputs)),
        token_bytes=sum(moved_bytes(name, layer, outputs, width) for name, layer in operators),
        operators=len(operators),
        fused=Fused(
            token_bytes=sum(moved_bytes(name, layer, outputs, width) for name, layer in own),
            operators=len(own),
            int8_linear=any(name in ("int8_linear", "int4_linear") for name, _ in own),
        ) if own else None,
    )  # fmt: skip


def operators_of(instructions: Sequence[Instruction]) -> Iterator[tuple[str, str]]:
    """Yield name and layer of each operator, inside and outside of partitions."""
    for instruction in instructions:
        if instruction.operator is not None:
            yield instruction.operator, instruction.layer or ""
        for run in instruction.partition or ():
            for name in run.operators:
                yield name, run.layer


def _linears(
    layers: Sequence[LayerPrecision], operators: Sequence[tuple[str, str]], every_token: bool
) -> Iterator[Linear]:
    for layer in layers:
        if layer.kind == "linear":
            outputs, inputs = layer.shape
            yield Linear(
                inputs=inputs,
                outputs=outputs,
                runs=max(1, operators.count(("linear", layer.name))),
                int8=layer.precision.startswith(("int", "8da")),
                stored_bytes=layer.stored_bytes,
                every_token=every_token or not layer.name.startswith("head"),
            )


def _attentions(operators: Sequence[tuple[str, str]], outputs: Mapping[str, int]) -> Iterator[Attention]:
    """Yield the attentions: two batched products in one layer are one attention; its width is that of the query."""
    products = [layer for name, layer in operators if name == "bmm"]
    for layer in dict.fromkeys(products):
        widths = [size for name, size in outputs.items() if name.startswith(f"{layer}.")]
        if layer and widths:
            head = 64 if widths[0] >= 512 else 32
            for _ in range(products.count(layer) // 2):
                yield Attention(width=widths[0], heads=max(1, widths[0] // head))


def moved_bytes(name: str, layer: str, outputs: Mapping[str, int], width: int) -> int:
    """Return the bytes of one token that an operator reads and writes."""
    own = [size for other, size in outputs.items() if other.rpartition(".")[0] == layer]
    size = max(own, default=width) if name in ("gelu", "tanh") else width
    return _OPERANDS.get(name.removeprefix("linnet::"), 0) * _FLOAT * size
