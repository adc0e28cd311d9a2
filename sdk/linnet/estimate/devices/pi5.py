"""Raspberry Pi 5."""

from __future__ import annotations

from linnet.estimate.devices.base import Device

__all__ = ["DEVICE"]

DEVICE = Device(
    name="pi5",
    title="Raspberry Pi 5 (BCM2712, Cortex-A76)",
    clock_ghz=2.4,
    cores=4,
    int8_macs=32,
    float_macs=8,
    cache_bytes=16,
    bandwidth_gbs=8.5,
    cache_mb=2.0,
    fused=False,
    sources=(
        "clock, cores, 2 MB of level-3 cache: Raspberry Pi documentation, processors, BCM2712",
        "two 128-bit FMLA (8 float MACs) or two SDOT (32 int8 MACs) in a cycle: Cortex-A76 Software Optimization "
        "Guide (Arm PJDOC-466751330-7215, version 8.0), ASIMD instructions",
        "memory: LPDDR4X of 4267 MT/s, 32 bits wide, 17 GB/s at the wire; half of it is assumed to be sustained",
    ),
    cpuinfo=(("CPU part", "0xd0b"),),
)
