"""Raspberry Pi 5."""

from __future__ import annotations

from linnet_bench.estimate.devices.base import Device, OwnKernels

__all__ = ["DEVICE"]

DEVICE = Device(
    name="pi5",
    title="Raspberry Pi 5 (BCM2712, Cortex-A76)",
    clock_ghz=2.4,  # published: Raspberry Pi
    cores=4,  # published: Raspberry Pi
    int8_macs=32,  # derived from Arm's guide
    float_macs=8,  # derived from Arm's guide
    cache_bytes=16,  # ASSUMED: one 128-bit load in a cycle that lasts; no published measurement was found
    bandwidth_gbs=9.1,  # measured by others, one core reading
    cache_mb=2.0,  # published: Raspberry Pi
    fused=True,
    own=OwnKernels(int8_macs=25.6, attention=2.74),  # modelled and counted, not measured
    sources=(
        "clock, cores, 2 MB of level-3 cache: Raspberry Pi documentation, processors, BCM2712",
        "two 128-bit FMLA (8 float MACs) or two SDOT (32 int8 MACs) in a cycle: Cortex-A76 Software Optimization "
        "Guide (Arm PJDOC-466751330-7215, version 8.0), ASIMD instructions",
        "memory: one core reads 9.1 GB/s on a board of 8 GB, 9.4 GB/s on one of 4 GB (tinymembench, C scan 64, "
        "github.com/raspberrypi/firmware, issue 1876); 17 GB/s at the wire (Raspberry Pi documentation)",
        "caches: one 128-bit load in a cycle is assumed; no measurement was found",
        "linnet's kernels: 25.6 MACs in a cycle of the loop `dotprod` of linear layers (g++ 12, 80 % of 32), by "
        "llvm-mca for a Neoverse N1 in place of the A76; a MAC of attention takes 2.74 times the instructions of one "
        "of a layer, counted under QEMU: python -m benchmarks.arm_cost, docs/figures.md",
    ),
    cpuinfo=(("CPU part", "0xd0b"),),
)
