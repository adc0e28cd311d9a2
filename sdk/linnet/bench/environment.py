"""What machine this is, and in which state: without it a latency means nothing.

Everything is read from files of the system, so each reader takes the root of the file system and can be
tested with a made-up one. What a platform does not tell is None, never a guess.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

__all__ = [
    "Environment",
    "State",
    "Versions",
    "busy_note",
    "cpu_features",
    "cpu_model",
    "peak_memory",
    "read_environment",
    "read_state",
    "read_versions",
]

# Arm's "MIDR" part numbers of the cores on the boards that linnet is for; /proc/cpuinfo has no names there.
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

# Features that decide which int8 and float kernels can run; the rest of a flag list is noise here.
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

# Load for each CPU above which other work disturbs a measurement; an idle system stays well below.
_BUSY = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Versions:
    """Versions of what took part; None where it is not installed or does not say.

    Attributes:
        linnet: the distribution.
        executorch: the runtime inside of the binding.
        python: implementation and version.
        numpy: the package.
    """

    linnet: str | None
    executorch: str | None
    python: str
    numpy: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """What changes while a machine works; taken before and after the measurement.

    Attributes:
        frequency_mhz: of each CPU that tells it, in MHz.
        load_average: of one, five and fifteen minutes.
        temperature_c: the hottest thermal zone, in degrees Celsius.
    """

    frequency_mhz: tuple[float, ...]
    load_average: tuple[float, ...]
    temperature_c: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """The machine.

    Attributes:
        cpu: name of the processor.
        board: name of the board from the device tree (a Raspberry Pi has one).
        architecture: as ``uname -m``.
        cpu_features: those that decide about kernels, sorted.
        cpus: logical CPUs of the machine.
        affinity: CPUs that this process may use.
        governors: frequency governors in use.
        memory_bytes: of the machine.
        os: name and release.
        runtime: lines of ``linnet_runtime.runtime_info()``: backends, kernels and so on.
        versions: of what took part.
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


def read_environment(runtime: Mapping[str, str], root: Path = Path("/")) -> Environment:
    """Describe this machine.

    Args:
        runtime: what ``linnet_runtime.runtime_info()`` says.
        root: of the file system to read.
    """
    cpuinfo = _text(root / "proc/cpuinfo")
    return Environment(
        cpu=cpu_model(cpuinfo) or platform.processor() or None,
        board=_text(root / "proc/device-tree/model").rstrip("\0\n") or None,
        architecture=platform.machine(),
        cpu_features=cpu_features(cpuinfo),
        cpus=os.cpu_count() or 1,
        affinity=_affinity(),
        governors=_distinct(_text(path).strip() for path in _cpufreq(root, "scaling_governor")),
        memory_bytes=_memory(_text(root / "proc/meminfo")),
        os=_os_name(_text(root / "etc/os-release")),
        runtime=dict(runtime),
        versions=read_versions(runtime),
    )


def read_versions(runtime: Mapping[str, str]) -> Versions:
    """Return the versions of what takes part; ``runtime`` as in :func:`read_environment`."""
    return Versions(
        linnet=_installed("linnet") or runtime.get("version"),
        executorch=runtime.get("executorch"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=_installed("numpy"),
    )


def read_state(root: Path = Path("/")) -> State:
    """Return frequency, load and temperature at this moment."""
    kilohertz = [_number(_text(path)) for path in _cpufreq(root, "scaling_cur_freq")]
    frequencies = [value / 1000 for value in kilohertz if value is not None]
    zones = sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))
    millidegrees = [value for value in (_number(_text(path)) for path in zones) if value is not None]
    return State(
        frequency_mhz=tuple(frequencies or _frequencies(_text(root / "proc/cpuinfo"))),
        load_average=os.getloadavg() if hasattr(os, "getloadavg") else (),
        temperature_c=max(millidegrees) / 1000 if millidegrees else None,
    )


def busy_note(state: State, cpus: int) -> str:
    """Return a warning if others were using the machine when ``state`` was taken, else an empty string.

    Args:
        state: taken before anything was measured.
        cpus: that may be used.
    """
    load = state.load_average[0] if state.load_average else 0.0
    if load <= _BUSY * cpus:
        return ""
    return (
        f"the load average was {load:.2f} on {cpus} CPUs before the measurement: if other work was still going on, "
        "latencies are too high"
    )


def peak_memory(status: str | None = None) -> int:
    """Return this process's peak resident memory in bytes.

    On Linux it is ``VmHWM``, which starts at zero with the program; ``ru_maxrss`` would begin with the
    peak of the process that called ``exec``. Elsewhere it is ``ru_maxrss``.

    Args:
        status: the text of ``/proc/self/status``; read from there if None.
    """
    text = _text(Path("/proc/self/status")) if status is None else status
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    import resource  # absent on some platforms, and needed only where /proc is

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # bytes on macOS, else kilobytes


def cpu_model(cpuinfo: str) -> str | None:
    """Return the processor's name from the text of ``/proc/cpuinfo``; Arm parts by their table name."""
    names = _distinct(_values(cpuinfo, "model name"))
    if names:
        return " + ".join(names)
    parts = _distinct(_values(cpuinfo, "CPU part"))
    return " + ".join(_ARM_PARTS.get(part, f"Arm part {part}") for part in parts) or None


def cpu_features(cpuinfo: str) -> tuple[str, ...]:
    """Return the features that decide about kernels, sorted, from the text of ``/proc/cpuinfo``."""
    flags = [*_values(cpuinfo, "flags"), *_values(cpuinfo, "Features")]
    # Cores of a big.LITTLE machine may differ: only what every core has can be relied on.
    common = set.intersection(*(set(line.split()) for line in flags)) if flags else set()
    return tuple(sorted(common & _FEATURES))


def _values(cpuinfo: str, key: str) -> list[str]:
    pairs = (line.partition(":") for line in cpuinfo.splitlines())
    return [value.strip() for name, _, value in pairs if name.strip() == key]


def _frequencies(cpuinfo: str) -> list[float]:
    return [float(value) for value in _values(cpuinfo, "cpu MHz")]


def _cpufreq(root: Path, name: str) -> list[Path]:
    return sorted((root / "sys/devices/system/cpu").glob(f"cpu[0-9]*/cpufreq/{name}"))


def _affinity() -> tuple[int, ...]:
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


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


def _distinct(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for item in items if item))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(path: Path) -> str:
    """Return the text of a file of the system, or "" where this platform has none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
