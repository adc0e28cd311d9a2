"""Detection of emulated processors. Under an emulator answers are right but times are meaningless.

No interface tells a process that it is emulated, but its ``/proc`` is the host's unless the emulator replaces the
file. QEMU's user mode replaces ``/proc/cpuinfo`` for some targets and versions only, and never
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
"""Environment variable that names the emulator where it cannot be detected; empty or 0: not emulated."""

_FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(("x86_64", "amd64", "i386", "i486", "i586", "i686"), "x86"),
    **dict.fromkeys(("aarch64", "arm64", "aarch64_be", "armv6l", "armv7l", "armv8l", "arm"), "arm"),
}
"""A 32-bit program on a 64-bit processor of the same family is not emulated."""

_CPUINFO_KEYS: Mapping[str, str] = {"vendor_id": "x86", "CPU implementer": "arm"}
_EMULATED_MODELS = ("QEMU TCG", "Bochs")


def emulation(root: Path = Path("/"), machine: str | None = None) -> str:
    """Return the evidence that this system is emulated, or an empty text if there is none.

    Args:
        root: root of the file system to read.
        machine: architecture of this process; None: that of ``uname -m``.
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
    return f"the processor calls itself {model}" if any(name in model for name in _EMULATED_MODELS) else ""
