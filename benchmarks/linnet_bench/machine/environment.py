"""Description of the machine: processor, board, memory, operating system, versions.

Everything is read from files of the system, so each reader takes the root of the file system and can be
tested with an artificial one. What a platform does not provide is None, never a guess.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from linnet_bench.machine.emulation import emulation
from linnet_bench.machine.processor import CoreGroup, core_groups, cpu_features, cpu_model, cpuinfo_values, soc_name
from linnet_bench.machine.state import State, busy_note, governors, read_state, read_state_before
from linnet_bench.machine.system import text_of

__all__ = [
    "CoreGroup",
    "Environment",
    "State",
    "Versions",
    "busy_note",
    "cpu_features",
    "cpu_model",
    "current_affinity",
    "peak_memory",
    "read_environment",
    "read_state",
    "read_state_before",
    "read_versions",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Versions:
    """Versions of the software involved; None if it is not installed or has no version.

    Attributes:
        linnet: version of the distribution.
        executorch: version of the runtime inside the binding.
        python: implementation and version.
        numpy: version of the package.
    """

    linnet: str | None
    executorch: str | None
    python: str
    numpy: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """Description of the machine.

    Attributes:
        cpu: name of the processor.
        board: name of the device: from the device tree (a Raspberry Pi has one), or maker and product of its firmware.
        architecture: as ``uname -m``.
        cpu_features: CPU features that decide which kernels run, sorted.
        cpus: number of logical CPUs of the machine.
        affinity: CPUs that this process may use.
        governors: frequency governors in use.
        memory_bytes: memory of the machine in bytes.
        os: name and release.
        runtime: lines of ``linnet_runtime.runtime_info()``: backends, kernels and so on.
        versions: versions of the software involved.
        soc: name of the chip, as "bcm2712".
        cores: the kinds of cores, the fastest first.
        emulated: evidence that the processor is emulated, so that times mean nothing; empty if there is none.
        virtual: a hypervisor runs this system; None if unknown.
    """

    cpu: str | None
    board: str | None
    architecture: str
    cpu_features: tuple[str, ...]
    cpus: int
    affinity: tuple[int, ...]
    governors: tuple[str, ...]
    memory_bytes: int | None
    os: str
    runtime: Mapping[str, str]
    versions: Versions
    soc: str | None = None
    cores: tuple[CoreGroup, ...] = ()
    emulated: str = ""
    virtual: bool | None = None


def read_environment(runtime: Mapping[str, str], root: Path = Path("/")) -> Environment:
    """Describe this machine.

    Args:
        runtime: lines of ``linnet_runtime.runtime_info()``.
        root: root of the file system to read.
    """
    cpuinfo = text_of(root / "proc/cpuinfo")
    return Environment(
        cpu=cpu_model(cpuinfo) or platform.processor() or None,
        board=text_of(root / "proc/device-tree/model").rstrip("\0\n") or _firmware_product(root),
        architecture=platform.machine(),
        cpu_features=cpu_features(cpuinfo),
        cpus=os.cpu_count() or 1,
        affinity=current_affinity(),
        governors=governors(root),
        memory_bytes=_memory(text_of(root / "proc/meminfo")),
        os=_os_name(text_of(root / "etc/os-release")),
        runtime=dict(runtime),
        versions=read_versions(runtime),
        soc=soc_name(root),
        cores=core_groups(root),
        emulated=emulation(root),
        virtual=_virtual(cpuinfo),
    )


def read_versions(runtime: Mapping[str, str]) -> Versions:
    """Return the versions of the software involved; ``runtime`` as in :func:`read_environment`."""
    return Versions(
        linnet=_installed("linnet") or runtime.get("version"),
        executorch=runtime.get("executorch"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=_installed("numpy"),
    )


def peak_memory(status: str | None = None) -> int:
    """Return this process's peak resident memory in bytes.

    On Linux it is ``VmHWM``, which starts at zero with the program; ``ru_maxrss`` would begin with the
    peak of the process that called ``exec``. Elsewhere it is ``ru_maxrss``.

    Args:
        status: the text of ``/proc/self/status``; read from there if None.
    """
    text = text_of(Path("/proc/self/status")) if status is None else status
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    import resource  # absent on some platforms, and needed only where /proc is absent

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # bytes on macOS, else kilobytes


def current_affinity() -> tuple[int, ...]:
    """Return the numbers of the CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def _firmware_product(root: Path) -> str | None:
    """Return maker and product from the SMBIOS tables, which x86 machines have."""
    names = (text_of(root / "sys/class/dmi/id" / name).strip() for name in ("sys_vendor", "product_name"))
    return " ".join(filter(None, names)) or None


def _virtual(cpuinfo: str) -> bool | None:
    """Return whether a hypervisor is present. Only x86 processors report it (CPUID leaf 1, bit 31 of ECX)."""
    flags = cpuinfo_values(cpuinfo, "flags")
    return "hypervisor" in flags[0].split() if flags else None


def _memory(meminfo: str) -> int | None:
    for line in meminfo.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _os_name(os_release: str) -> str:
    for line in os_release.splitlines():
        if line.startswith("PRETTY_NAME="):
            return f"{line.partition('=')[2].strip().strip(chr(34))}, {platform.system()} {platform.release()}"
    return f"{platform.system()} {platform.release()}"


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
