"""Raspberry Pi 4 Model B."""

from __future__ import annotations

from linnet_bench.estimate.devices.base import Device, OwnKernels

__all__ = ["DEVICE"]

DEVICE = Device(
    name="pi4",
    title="Raspberry Pi 4 Model B (BCM2711, Cortex-A72)",
    clock_ghz=1.8,  # of newer boards; Raspberry Pi's page of the chip says 1.5
    cores=4,  # published: Raspberry Pi
    int8_macs=4,  # derived from Arm's guide
    float_macs=4,  # derived from Arm's guide
    cache_bytes=8,  # ASSUMED: one 64-bit load in a cycle that lasts; no published measurement was found
    bandwidth_gbs=5.5,  # measured by others, one core
    cache_mb=1.0,  # published: Raspberry Pi
    fused=True,
    own=OwnKernels(int8_macs=6.4, attention=1.61),  # modelled and counted, not measured
    sources=(
        "cores, 1 MB of level-2 cache: Raspberry Pi documentation, processors, BCM2711; clock: 1.5 GHz there, "
        "1.8 GHz on newer boards (configuration option arm_boost)",
        "one 128-bit FMLA (4 float MACs) in a cycle, SMLAL on one pipeline only, 4 lanes, no dot product: "
        "Cortex-A72 Software Optimization Guide (ARM UAN 0016A), ASIMD instructions",
        "memory: STREAM copy and scale 5.5 GB/s, sci-pi.org.uk/bench/stream.html",
        "caches: one 64-bit load in a cycle is assumed; no measurement was found",
        "linnet's kernels: 6.4 MACs in a cycle of the loop `neon` of linear layers (g++ 12, 80 % of 8), by "
        "llvm-mca for a Cortex-A57 in place of the A72; a MAC of attention takes 1.61 times the instructions of one "
        "of a layer, counted under QEMU: python -m benchmarks.arm_cost, docs/figures.md",
    ),
    cpuinfo=(("CPU part", "0xd08"),),
)
