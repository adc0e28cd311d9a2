"""What is known of a device."""

from __future__ import annotations

import dataclasses

__all__ = ["Device"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """Published figures of one device; a MAC is one multiplication with its addition.

    Attributes:
        name: on the command line.
        title: what people call it.
        clock_ghz: of a busy core.
        cores: that can work on one text.
        int8_macs, float_macs: of one core and cycle, in the instructions that XNNPACK's kernels use there.
        cache_bytes: that one core can stream from its caches in a cycle, reads and writes together.
        bandwidth_gbs: of the main memory, sustained, 10^9 bytes a second.
        cache_mb: last level of cache; weights that fit stay there between texts, 10^6 bytes.
        fused: linnet has a fast kernel of its own attention for it.
        sources: of the figures.
        cpuinfo: keys and values of /proc/cpuinfo that tell the processor.
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
