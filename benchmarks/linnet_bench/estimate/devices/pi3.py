"""Raspberry Pi 3 Model B+."""

from __future__ import annotations

from linnet_bench.estimate.devices.base import Device, OwnKernels

__all__ = ["DEVICE"]

DEVICE = Device(
    name="pi3",
    title="Raspberry Pi 3 Model B+ (BCM2837B0, Cortex-A53)",
    clock_ghz=1.4,  # published: Raspberry Pi
    cores=4,  # published: Raspberry Pi
    int8_macs=4,  # derived from ncnn's notes
    float_macs=4,  # derived from ncnn's notes
    cache_bytes=8,  # derived from ncnn's notes
    bandwidth_gbs=2.2,  # ASSUMED, from boards with the same core; no published measurement of this board was found
    cache_mb=0.5,  # published: Raspberry Pi
    fused=True,
    own=OwnKernels(int8_macs=2.0, attention=1.61),  # modelled and counted, not measured
    sources=(
        "clock, cores, 512 kB of level-2 cache: Raspberry Pi documentation, processors, BCM2837B0",
        "one 128-bit FMLA (4 float MACs) or one SMLAL of 4 lanes in a cycle; one 64-bit load beside it: "
        "ncnn, docs/developer-guide/arm-a53-a55-dual-issue.md",
        "memory: LPDDR2 of 900 MT/s, 32 bits wide, 3.6 GB/s at the wire; 60 % of it, as STREAM reaches on a "
        "Cortex-A53 with LPDDR4 (TI SPRACV1B, 67 to 71 %), rounded down; "
        "no measurement of this board was found",
        "linnet's kernels: 2.0 MACs in a cycle of the loop `neon` of linear layers (g++ 12, 25 % of 8), by "
        "llvm-mca for a Cortex-A53; a MAC of attention takes 1.61 times the instructions of one of a "
        "layer, counted under QEMU: python -m benchmarks.arm_cost, docs/figures.md",
    ),
    cpuinfo=(("CPU part", "0xd03"),),
)
