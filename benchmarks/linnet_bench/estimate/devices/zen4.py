"""One core or several of an AMD EPYC 9004 server."""

from __future__ import annotations

from linnet_bench.estimate.devices.base import Device

__all__ = ["DEVICE"]

DEVICE = Device(
    name="zen4",
    title="AMD EPYC 9004 (Zen 4, AVX-512 VNNI)",
    clock_ghz=3.7,  # published: AMD, highest boost of the EPYC 9654
    cores=96,  # published: AMD
    int8_macs=64,  # derived from AMD's guide
    float_macs=16,  # derived from AMD's guide
    cache_bytes=16,  # ASSUMED, as for Zen 5
    bandwidth_gbs=35.0,  # measured, one core reading
    cache_mb=32.0,  # published: AMD
    fused=True,
    sources=(
        "boost of 3.7 GHz, 96 cores, 32 MB of level-3 cache for 8 of them: AMD, EPYC 9654 product page",
        "two 256-bit VPDPBUSD (64 int8 MACs) or FMA (16 float MACs) in a cycle: AMD, Software Optimization Guide for "
        "the Zen 4 Microarchitecture (57647), floating-point unit",
        "memory: one core reads 35 GB/s on a virtual machine of 2 CPUs (numpy, the sum of 400 MB, CPU time)",
    ),
    cpuinfo=(("vendor_id", "AuthenticAMD"), ("cpu family", "25"), ("model", "17")),
)
