"""One core or several of an AMD EPYC 9005 server."""

from __future__ import annotations

from linnet_bench.estimate.devices.base import Device

__all__ = ["DEVICE"]

DEVICE = Device(
    name="zen5",
    title="AMD EPYC 9655 (Zen 5, AVX-512 VNNI)",
    clock_ghz=4.1,  # published: AMD
    cores=96,  # published: AMD
    int8_macs=128,  # derived from AMD's guide
    float_macs=32,  # derived from AMD's guide
    cache_bytes=16,  # ASSUMED
    bandwidth_gbs=30.0,  # ASSUMED
    cache_mb=32.0,  # published: AMD
    fused=True,
    sources=(
        "all-core boost of 4.1 GHz, 96 cores, 32 MB of level-3 cache for 8 of them: AMD, EPYC 9655 product page",
        "two 512-bit VPDPBUSD (128 int8 MACs) or FMA (32 float MACs) in a cycle: AMD, Software Optimization Guide for "
        "the Zen 5 Microarchitecture (58455), floating-point unit",
        "memory for one core: assumed; the weights of small models stay in the cache",
    ),
    cpuinfo=(("vendor_id", "AuthenticAMD"), ("cpu family", "26")),
)
