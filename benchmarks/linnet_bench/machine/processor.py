"""Processor description: name, features, kinds of cores, and the chip it is part of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from linnet_bench.machine.system import as_number, distinct, text_of

__all__ = ["CoreGroup", "core_groups", "cpu_features", "cpu_model", "cpuinfo_values", "soc_name"]

# Arm's "MIDR" part numbers of the cores on the boards that linnet targets; /proc/cpuinfo has no names there.
# Source: arch/arm64/include/asm/cputype.h of Linux.
_ARM_PARTS: Mapping[str, str] = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd41": "Cortex-A78",
    "0xd44": "Cortex-X1",
    "0xd46": "Cortex-A510",
    "0xd4f": "Neoverse-V2",
}

# Features that decide which int8 and float kernels can run; the rest of a flag list is irrelevant here.
_FEATURES = frozenset(
    {
        "sse4_1",
        "sse4_2",
        "avx",
        "avx2",
        "fma",
        "f16c",
        "avx_vnni",
        "avx512f",
        "avx512bw",
        "avx512vl",
        "avx512_vnni",
        "avx512_bf16",
        "avx512_fp16",
        "amx_tile",
        "amx_int8",
        "amx_bf16",
        "asimd",
        "asimdhp",
        "asimddp",
        "i8mm",
        "bf16",
        "sve",
        "sve2",
        "svei8mm",
        "sme",
        "sme2",
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoreGroup:
    """CPUs of one kind; a big.LITTLE machine has several.

    Attributes:
        name: name of the core; None if the system does not provide it.
        cpus: their numbers, as an affinity lists them.
        max_mhz: highest frequency in MHz.
        capacity: speed relative to the fastest core of the machine, 1024 being the fastest
            (Documentation/scheduler/sched-capacity.rst of Linux).
    """

    name: str | None
    cpus: tuple[int, ...]
    max_mhz: float | None
    capacity: int | None


def cpu_model(cpuinfo: str) -> str | None:
    """Return the processor's name from the text of ``/proc/cpuinfo``; Arm parts by their table name.

    Linux's own name of an Arm processor, "ARMv8 Processor rev 1", does not identify it.
    """
    parts = distinct(cpuinfo_values(cpuinfo, "CPU part"))
    return " + ".join(map(_part_name, parts) if parts else distinct(cpuinfo_values(cpuinfo, "model name"))) or None


def cpu_features(cpuinfo: str) -> tuple[str, ...]:
    """Return the features that decide which kernels run, sorted, from the text of ``/proc/cpuinfo``."""
    flags = [*cpuinfo_values(cpuinfo, "flags"), *cpuinfo_values(cpuinfo, "Features")]
    # Cores of a big.LITTLE machine may differ: only what every core has can be relied on.
    common = set.intersection(*(set(line.split()) for line in flags)) if flags else set()
    return tuple(sorted(common & _FEATURES))


def core_groups(root: Path = Path("/")) -> tuple[CoreGroup, ...]:
    """Return the kinds of cores, the fastest first.

    Args:
        root: root of the file system to read.
    """
    names = _core_names(text_of(root / "proc/cpuinfo"))
    groups: dict[tuple[str | None, float | None, int | None], list[int]] = {}
    for cpu, name in sorted(names.items()):
        folder = root / f"sys/devices/system/cpu/cpu{cpu}"
        kilohertz = as_number(text_of(folder / "cpufreq/cpuinfo_max_freq"))
        capacity = as_number(text_of(folder / "cpu_capacity"))
        mhz = None if kilohertz is None else kilohertz / 1000
        groups.setdefault((name, mhz, None if capacity is None else int(capacity)), []).append(cpu)
    kinds = [
        CoreGroup(name=name, cpus=tuple(cpus), max_mhz=mhz, capacity=capacity)
        for (name, mhz, capacity), cpus in groups.items()
    ]
    return tuple(sorted(kinds, key=lambda group: (-(group.capacity or 0), -(group.max_mhz or 0.0))))


def soc_name(root: Path = Path("/")) -> str | None:
    """Return the chip's name: from the device tree ("bcm2712" of a Raspberry Pi 5), or from the kernel's SoC bus.

    Args:
        root: root of the file system to read.
    """
    compatible = [name for name in text_of(root / "proc/device-tree/compatible").split("\0") if name.strip()]
    if compatible:
        return compatible[-1].rpartition(",")[2].strip()  # board first, chip last
    soc = root / "sys/devices/soc0"
    return text_of(soc / "machine").strip() or text_of(soc / "soc_id").strip() or None


def cpuinfo_values(cpuinfo: str, key: str) -> list[str]:
    """Return the values of one key of ``/proc/cpuinfo``, one for each processor that has it."""
    pairs = (line.partition(":") for line in cpuinfo.splitlines())
    return [value.strip() for name, _, value in pairs if name.strip() == key]


def _core_names(cpuinfo: str) -> dict[int, str | None]:
    """Return each processor's number and name."""
    names: dict[int, str | None] = {}
    for block in cpuinfo.split("\n\n"):
        number, *_ = cpuinfo_values(block, "processor") or [""]
        if number.isdecimal():
            model, part = cpuinfo_values(block, "model name"), cpuinfo_values(block, "CPU part")
            names[int(number)] = _part_name(part[0]) if part else model[0] if model else None
    return names


def _part_name(part: str) -> str:
    return _ARM_PARTS.get(part, f"Arm part {part}")
