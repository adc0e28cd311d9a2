"""Raspberry Pi 4 Model B."""

from __future__ import annotations

from linnet.estimate.devices.base import Device

__all__ = ["DEVICE"]

DEVICE = Device(
    name="pi4",
    title="Raspberry Pi 4 Model B (BCM2711, Cortex-A72)",
    clock_ghz=1.8,
    cores=4,
    int8_macs=4,
    float_macs=4,
    cache_bytes=8,
    bandwidth_gbs=5.5,
    cache_mb=1.0,
    fused=False,
    sources=(
        "clock, cores, 1 MB of level-2 cache: Raspberry Pi documentation, BCM2711 (early boards: 1.5 GHz)",
        "one 128-bit FMLA (4 float MACs) in a cycle, SMLAL on one pipeline only, 4 lanes, no dot product: "
        "Cortex-A72 Software Optimization Guide (ARM UAN 0016A), ASIMD instructions",
        "memory: STREAM copy and scale 5.5 GB/s, sci-pi.org.uk/bench/stream.html",
    ),
    cpuinfo=(("CPU part", "0xd08"),),
)
