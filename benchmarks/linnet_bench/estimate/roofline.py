"""Roofline estimate of a latency from counted work and published figures (Williams, Waterman & Patterson, CACM 52(4),
2009).

Each kind of work takes the longer of its computing time and its reading time; kinds run one after the other. Peaks are
never reached, so each has a share that XNNPACK, or linnet's custom kernels, reach of it. The shares below were chosen
on MiniLM-L6 (int8 and fp32) on an AMD EPYC of the Zen 5 kind, the time of an instruction on MobileBERT. On 64-bit ARM,
what linnet's kernels reach is a model instead: llvm-mca's cycles of the inner loop and instructions counted under
emulation (:class:`linnet_bench.estimate.devices.base.OwnKernels`). ``python -m benchmarks.studies.estimate`` compares
estimate and measurement on the machine at hand; no estimate was compared with an ARM board yet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from linnet_bench.estimate.devices import Device
from linnet_bench.estimate.work import Work

__all__ = ["SHARES", "Estimate", "attention_macs", "estimate", "int8_macs", "starting_seconds", "workers"]

SHARES: Mapping[str, float] = {
    "int8": 0.75,
    "own int8": 0.81,
    "float": 0.80,
    "attention": 0.36,
    "threads": 0.90,
}
"""Reached shares: of the int8 peak in XNNPACK's and in linnet's custom linear layers, of the float peak, of the int8
peak in linnet's custom attention, of each thread beyond the first."""

_OPERATOR_SECONDS = 0.3e-6
"""Time to start an operator inside a partition at 4 GHz, in seconds; slower clocks take longer in proportion."""

_INSTRUCTION_SECONDS = 1.3e-6
"""Time of an instruction of ExecuTorch's executor, in seconds: each operator of `forward_fused` is one."""

_REFERENCE_GHZ = 4.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """Estimated seconds of one text; nothing here was measured.

    Attributes:
        tokens, threads: length of the text and threads of the process.
        linear, attention, moving, starting: parts of the time.
        memory_bound: reading the weights from main memory takes longer than computing with them.
        step: of a decoder "prefill", a prompt of so many tokens, or "decode", one token behind so many.
    """

    tokens: int
    threads: int
    linear: float
    attention: float
    moving: float
    starting: float
    memory_bound: bool
    step: str = ""

    @property
    def seconds(self) -> float:
        """Return the sum of all parts in seconds."""
        return self.linear + self.attention + self.moving + self.starting


def int8_macs(device: Device, *, own: bool) -> float:
    """Return the MACs in a cycle that int8 linear layers reach."""
    if own and device.own is not None:
        return device.own.int8_macs
    return device.int8_macs * SHARES["own int8" if own else "int8"]


def attention_macs(device: Device) -> float:
    """Return the MACs in a cycle that the custom attention reaches."""
    if device.own is not None:
        return device.own.int8_macs / device.own.attention
    return device.int8_macs * SHARES["attention"]


def workers(device: Device, threads: int) -> float:
    """Return how many times as fast as one thread the threads are; more than the device has cores are not counted."""
    return 1 + SHARES["threads"] * (min(threads, device.cores) - 1)


def starting_seconds(instructions: int, device: Device) -> float:
    """Return the time that ExecuTorch's executor takes for so many instructions, in seconds."""
    return instructions * _INSTRUCTION_SECONDS * _REFERENCE_GHZ / device.clock_ghz


def estimate(work: Work, device: Device, tokens: int, threads: int) -> Estimate:
    """Return the estimate.

    Args:
        work: work of the file.
        device: its figures.
        tokens: length of the text, at least 1.
        threads: at least 1; more than the device has cores are not counted.
    """
    cycles = device.clock_ghz * 1e9 * workers(device, threads)
    fused = work.fused if device.fused else None
    own = fused is not None and fused.int8_linear
    int8 = int8_macs(device, own=own) * cycles
    single = device.float_macs * SHARES["float"] * cycles
    computing = work.linear_macs(tokens, int8=True) / int8 + work.linear_macs(tokens, int8=False) / single
    fits = work.weight_bytes <= device.cache_mb * 1e6
    reading = 0.0 if fits else work.weight_bytes / (device.bandwidth_gbs * 1e9)
    products = single if fused is None else attention_macs(device) * cycles
    starting = (
        work.operators * _OPERATOR_SECONDS * _REFERENCE_GHZ / device.clock_ghz
        if fused is None
        else starting_seconds(fused.operators, device)
    )
    return Estimate(
        tokens=tokens,
        threads=threads,
        linear=max(computing, reading),
        attention=work.attention_macs(tokens) / products,
        moving=work.moved_bytes(tokens, fused=fused is not None) / (device.cache_bytes * cycles),
        starting=starting,
        memory_bound=reading > computing,
    )
