"""Published figures of a device, as a dataclass."""

from __future__ import annotations

import dataclasses

__all__ = ["Device", "OwnKernels"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnKernels:
    """What linnet's kernels reach on a core that nobody measured, from ``python -m benchmarks.arm_cost``.

    Attributes:
        int8_macs: MACs in a cycle of the linear layer's inner loop, by llvm-mca.
        attention: instructions that a MAC of the attention kernel takes, over those of a linear layer, both counted
            under emulation: with softmax, and with what a layer does around its loop.
    """

    int8_macs: float
    attention: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """Published figures of one device; a MAC is one multiplication with its addition.

    Attributes:
        name: name on the command line.
        title: name for people.
        clock_ghz: clock of a busy core.
        cores: number of cores that can work on one text.
        int8_macs, float_macs: MACs of one core and cycle, in the instructions that XNNPACK's kernels use there.
        cache_bytes: bytes that one core can stream from its caches in a cycle, reads and writes together.
        bandwidth_gbs: of the main memory, sustained, 10^9 bytes a second.
        cache_mb: size of the last level of cache in 10^6 bytes; weights that fit stay there between texts.
        fused: linnet's kernels are fast there, so `forward_fused` runs.
        own: what they reach, by a model; None: by the shares of :mod:`linnet_bench.estimate.roofline`.
        sources: sources of the figures.
        cpuinfo: keys and values of /proc/cpuinfo that identify the processor.
    """

    name: str
    title: str
    clock_ghz: float
    cores: int
    int8_macs: float
    float_macs: float
    cache_bytes: float
    bandwidth_gbs: float
    cache_mb: float
    fused: bool
    sources: tuple[str, ...]
    cpuinfo: tuple[tuple[str, str], ...] = ()
    own: OwnKernels | None = None
