"""Work and roofline estimate of a decoder: a prompt, and one token behind a context.

One token reads every weight, the whole head and the keys and values of all tokens before it, and computes little. A
prompt runs in chunks: each reads the weights once and computes with them for all of its tokens, and only the last token
of the prompt reads the head. Attention is causal: token t has products with t tokens.

Reading and computing are added: a linear layer brings its weights into the registers once, at most as fast as the
memory gives them and at most :data:`READ_BYTES` in a cycle, and each row of the input costs its products. Attention
takes keys and values at :data:`CACHE_BYTES`, or as long as its products. Both numbers were chosen on SmolLM2-135M in
int8 on an AMD EPYC of the Zen 4 kind, by CPU time of one thread, and are assumed for other processors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from linnet.cli.console import Console
from linnet.errors import InvalidArgumentError
from linnet.format.evidence import Evidence, LayerPrecision
from linnet.format.manifest import Manifest
from linnet_bench.estimate.devices import Device
from linnet_bench.estimate.roofline import (
    SHARES,
    Estimate,
    attention_macs,
    int8_macs,
    starting_seconds,
    workers,
)
from linnet_bench.estimate.work import moved_bytes, operators_of
from linnet_bench.record.profile import DECODE, PREFILL

__all__ = [
    "CACHE_BYTES",
    "READ_BYTES",
    "DecoderWork",
    "count_decoder_work",
    "estimate_decode",
    "estimate_prefill",
    "show_decoder",
]

READ_BYTES = 6.4
"""Bytes of weights that a core takes in a cycle, however few rows it computes with them."""

CACHE_BYTES = 1.1
"""Bytes of keys and values that a core takes in a cycle, however few queries there are."""

_ATTENTION = "linnet::cached_attention"
_HEAD = "body.head."


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecoderWork:
    """The work of a decoder's ``forward_fused``.

    Attributes:
        int8_macs, float_macs: multiply-accumulates of one token in the linear layers, without the head.
        weight_bytes: bytes of these layers.
        head_macs, head_float_macs, head_bytes: of the head and what turns its input, which run for one token of a call.
        attention_width: numbers of channels of all heads, summed over the layers.
        cache_bytes: bytes of keys and values of one token, all layers together.
        token_bytes: bytes read and written between the products for each token.
        operators: number of instructions, each with a cost of its own.
        chunk: most tokens of one run.
    """

    int8_macs: int
    float_macs: int
    weight_bytes: int
    head_macs: int
    head_float_macs: int
    head_bytes: int
    attention_width: int
    cache_bytes: int
    token_bytes: int
    operators: int
    chunk: int

    def attention_macs(self, first: int, tokens: int) -> int:
        """Return the MACs of queries with keys and of weights with values for ``tokens`` tokens behind ``first``."""
        pairs = tokens * first + tokens * (tokens + 1) // 2
        return 2 * pairs * self.attention_width


def count_decoder_work(manifest: Manifest, evidence: Evidence) -> DecoderWork:
    """Count the work from the evidence.

    Raises:
        InvalidArgumentError: the evidence has no layers or no debug map of ``forward_fused``.
    """
    layers, places = evidence.report.layers, evidence.places.get("forward_fused")
    if not layers or not places:
        raise InvalidArgumentError("the file does not say what it computes; export it again with this linnet")
    operators = [*operators_of(places)]
    linears = {layer.name: layer for layer in layers if layer.kind == "linear"}
    head = _head(layers, manifest.vocab_size)
    turning = [layer for layer in linears.values() if layer.name.startswith(_HEAD) and layer is not head]
    body = [layer for layer in linears.values() if layer is not head and layer not in turning]
    sizes = [layer.shape[0] for layer in body]
    width = max(set(sizes), key=sizes.count, default=head.shape[1])
    outputs = {layer.name: layer.shape[0] for layer in body}
    return DecoderWork(
        int8_macs=sum(_macs(layer) for layer in body if _is_int8(layer)),
        float_macs=sum(_macs(layer) for layer in body if not _is_int8(layer)),
        weight_bytes=sum(layer.stored_bytes for layer in body),
        head_macs=_macs(head),
        head_float_macs=sum(map(_macs, turning)),
        head_bytes=head.stored_bytes + sum(layer.stored_bytes for layer in turning),
        attention_width=sum(_widths(operators, linears)),
        cache_bytes=manifest.cache_layers * manifest.cache_row_bytes,
        token_bytes=sum(moved_bytes(name, layer, outputs, width) for name, layer in operators),
        operators=len(places),
        chunk=manifest.chunk_length,
    )


def _head(layers: Sequence[LayerPrecision], vocabulary: int) -> LayerPrecision:
    """Return the layer of the head: a linear one, or the word embedding that is the head too."""
    of_size = [layer for layer in layers if layer.shape[0] == vocabulary]
    linear = [layer for layer in of_size if layer.kind == "linear"]
    if not of_size:
        raise InvalidArgumentError("the file's evidence names no head; export it again with this linnet")
    return (linear or of_size)[-1]


def _macs(layer: LayerPrecision) -> int:
    return layer.shape[0] * layer.shape[1]


def _is_int8(layer: LayerPrecision) -> bool:
    return layer.precision.startswith(("int", "8da"))


def _widths(operators: Sequence[tuple[str, str]], linears: dict[str, LayerPrecision]) -> Iterator[int]:
    """Yield the channels of all heads of each attention: what the layer behind it takes in."""
    for name, layer in operators:
        if name == _ATTENTION:
            own = [linear.shape[1] for other, linear in linears.items() if other.startswith(f"{layer}_output")]
            yield own[0] if own else linears[next(iter(linears))].shape[1]


def estimate_prefill(work: DecoderWork, device: Device, tokens: int, threads: int) -> Estimate:
    """Return the estimate of a prompt of ``tokens`` tokens; other arguments as :func:`estimate_decode`."""
    parts = [
        _run(work, device, first, min(work.chunk, tokens - first), threads, head=first + work.chunk >= tokens)
        for first in range(0, tokens, work.chunk)
    ]
    return Estimate(
        tokens=tokens,
        threads=threads,
        linear=sum(part.linear for part in parts),
        attention=sum(part.attention for part in parts),
        moving=sum(part.moving for part in parts),
        starting=sum(part.starting for part in parts),
        memory_bound=all(part.memory_bound for part in parts),
        step=PREFILL,
    )


def estimate_decode(work: DecoderWork, device: Device, context: int, threads: int) -> Estimate:
    """Return the estimate of one token.

    Args:
        work: work of the file.
        device: its figures.
        context: number of tokens before it.
        threads: at least 1; more than the device has cores are not counted.
    """
    return dataclasses.replace(_run(work, device, context, 1, threads, head=True), tokens=context, step=DECODE)


def _run(work: DecoderWork, device: Device, first: int, tokens: int, threads: int, *, head: bool) -> Estimate:
    """Return the estimate of one run of ``tokens`` tokens behind ``first`` others."""
    cycles = device.clock_ghz * 1e9 * workers(device, threads)
    int8 = int8_macs(device, own=True) * cycles
    macs = work.int8_macs * tokens + (work.head_macs if head else 0)
    floats = work.float_macs * tokens + (work.head_float_macs if head else 0)
    computing = macs / int8 + floats / (device.float_macs * SHARES["float"] * cycles)
    weights = work.weight_bytes + (work.head_bytes if head else 0)
    bandwidth = device.bandwidth_gbs * 1e9
    taking = weights / (READ_BYTES * cycles)
    fits = weights <= device.cache_mb * 1e6
    reading = taking if fits else max(taking, weights / bandwidth)
    products = work.attention_macs(first, tokens) / (attention_macs(device) * cycles)
    return Estimate(
        tokens=tokens,
        threads=threads,
        linear=computing + reading,
        attention=max(products, first * work.cache_bytes / min(bandwidth, CACHE_BYTES * cycles)),
        moving=work.token_bytes * tokens / (device.cache_bytes * cycles),
        starting=starting_seconds(work.operators, device),
        memory_bound=reading > max(computing, taking),
    )


def show_decoder(work: DecoderWork, estimates: Sequence[Estimate], console: Console) -> None:
    """Write prompts, then single tokens, in tokens a second with the parts of their time, and what one token reads."""
    headers = ("threads", "tokens", "about tokens/s", "ms", "linear", "attention", "moving", "starting", "")
    titles = {PREFILL: "prefill of a prompt", DECODE: "one token behind so many"}
    for step, title in titles.items():
        console.heading(title)
        rows = [_row(estimated) for estimated in estimates if estimated.step == step]
        console.table(headers, rows, right=range(8))
    console.line()
    context = estimates[-1].tokens
    console.line(
        f"one token behind {context} reads {(work.weight_bytes + work.head_bytes) / 1e6:.1f} MB of weights and "
        f"{context * work.cache_bytes / 1e6:.1f} MB of keys and values, and computes "
        f"{(work.int8_macs + work.float_macs + work.head_macs) / 1e6:.0f} M multiply-accumulates in linear layers"
    )


def _row(estimated: Estimate) -> Sequence[str]:
    rate = (estimated.tokens if estimated.step == PREFILL else 1) / estimated.seconds
    parts = (estimated.linear, estimated.attention, estimated.moving, estimated.starting)
    times = [f"{part * 1e3:.2f}" for part in (estimated.seconds, *parts)]
    note = "bound by memory" if estimated.memory_bound else ""
    return (str(estimated.threads), str(estimated.tokens), f"{rate:.1f}", *times, note)
