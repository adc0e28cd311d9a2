"""The fastest core of a phone of 2023 with a Snapdragon 8 Gen 2."""

from __future__ import annotations

from linnet_bench.estimate.devices.base import Device, OwnKernels

__all__ = ["DEVICE"]

DEVICE = Device(
    name="snapdragon8gen2",
    title="phone with a Snapdragon 8 Gen 2 (Cortex-X3, the one fastest core)",
    clock_ghz=3.2,  # published: Qualcomm
    cores=1,  # the other cores are of three other kinds, which this estimate does not know
    int8_macs=128,  # of a Neoverse V2, by llvm-mca
    float_macs=16,  # of a Neoverse V2, by llvm-mca
    cache_bytes=32,  # ASSUMED: two 128-bit loads in a cycle that last
    bandwidth_gbs=20.0,  # ASSUMED, for one core
    cache_mb=8.0,  # of the third level, that all cores share
    fused=True,
    own=OwnKernels(int8_macs=67.8, attention=2.86),  # modelled and counted, not measured
    sources=(
        "clock of the Cortex-X3, kinds of cores: Qualcomm, Snapdragon 8 Gen 2 product brief; a phone lowers the clock "
        "when it gets warm",
        "four 128-bit FMLA (16 float MACs) or USMMLA (128 int8 MACs) in a cycle: llvm-mca's model of the Neoverse V2, "
        "which stands for the X3",
        "memory and caches: assumed; 67 GB/s at the wire (LPDDR5X of 8400 MT/s, 64 bits wide)",
        "linnet's kernels: 67.8 MACs in a cycle of the loop `i8mm` of linear layers (clang 22, 53 % of 128), by "
        "llvm-mca for a Neoverse V2; a MAC of attention takes 2.86 times the instructions of one of a layer, counted "
        "under QEMU: python -m benchmarks.arm_cost, docs/figures.md",
    ),
)
