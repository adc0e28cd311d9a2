"""Is the processor real? Under an emulator every answer is right and every time is meaningless.

An emulated process cannot be asked, but what it reads of ``/proc`` is its host's, as far as the emulator does not
make up the file. QEMU's user mode makes up ``/proc/cpuinfo`` for some targets and versions only, and never
``/proc/sys/kernel/arch``, which Linux has had since 6.1 (kernel/utsname_sysctl.c).
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from linnet_bench.machine.processor import cpu_model, cpuinfo_values
from linnet_bench.machine.system import text_of

__all__ = ["EMULATED_VARIABLE", "emulation"]

EMULATED_VARIABLE = "LINNET_EMULATED"
"""Environment variable: says by what this system is emulated, where it cannot be found out; empty: by nothing."""

_FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(("x86_64", "amd64", "i386", "i486", "i586", "i686"), "x86"),
    **dict.fromkeys(("aarch64", "arm64", "aarch64_be", "armv6l", "armv7l", "armv8l", "arm"), "arm"),
}
"""A 32-bit program on a 64-bit processor of the same family is not emulated."""

_CPUINFO_KEYS: Mapping[str, str] = {"vendor_id": "x86", "CPU implementer": "arm"}
_EMULATED_MODELS = ("QEMU TCG", "Bochs")


def emulation(root: Path = Path("/"), machine: str | None = None) -> str:
    """Return how one sees that this system is emulated, or an empty text if nothing says so.

    Args:
        root: of the file system to read.
        machine: architecture of this process; None: as ``uname -m`` says.
    """
    told = os.environ.get(EMULATED_VARIABLE)
    if told is not None:
        return f"{EMULATED_VARIABLE} says so: {told}" if told not in ("", "0") else ""
    machine = platform.machine() if machine is None else machine
    own = _FAMILIES.get(machine.lower(), machine)
    arch = text_of(root / "proc/sys/kernel/arch").strip()
    if arch and _FAMILIES.get(arch.lower(), arch) != own:
        return f"the kernel is one of {arch}, this process one of {machine}"
    cpuinfo = text_of(root / "proc/cpuinfo")
    for key, family in _CPUINFO_KEYS.items():
        if cpuinfo_values(cpuinfo, key) and family != own:
            return f"/proc/cpuinfo describes a processor of {family}, this process is one of {machine}"
    model = cpu_model(cpuinfo) or ""
    return f"the processor calls itself {model}" if any(each in model for each in _EMULATED_MODELS) else ""
