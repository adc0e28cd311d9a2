"""Description of an Android phone, from its system files and properties."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from linnet_bench.machine.emulation import emulation
from linnet_bench.machine.environment import Environment, Versions, read_environment
from linnet_bench.machine.state import State, read_state

__all__ = ["ASK", "Phone", "read_phone"]

_PROPERTIES = (
    "ro.product.manufacturer",
    "ro.product.model",
    "ro.soc.manufacturer",
    "ro.soc.model",
    "ro.build.version.release",
    "ro.product.cpu.abi",
)
_FILES = (
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/loadavg",
    "/proc/sys/kernel/arch",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq",
    "/sys/class/thermal/thermal_zone*/temp",
)
_MARK = "==linnet=="

ASK = (
    f'for p in {" ".join(_PROPERTIES)}; do echo "{_MARK} $p"; getprop $p; done; '
    f'for f in {" ".join(_FILES)}; do echo "{_MARK} $f"; cat "$f" 2>/dev/null; done; '
    f'echo "{_MARK} uname"; uname -m; uname -sr'
)
"""Shell command for the phone that prints everything at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phone:
    """The parsed reply to :data:`ASK`.

    Attributes:
        properties: by name; "" where the phone has none.
        files: text by path.
        uname: machine, and system with release.
    """

    properties: Mapping[str, str]
    files: Mapping[str, str]
    uname: tuple[str, str]

    @property
    def machine(self) -> str:
        """Return the architecture as ``uname -m`` prints it."""
        return self.uname[0]

    @property
    def cpus(self) -> int:
        """Return the number of logical CPUs."""
        return max(1, len(re.findall(r"^processor\s*:", self.files.get("/proc/cpuinfo", ""), re.MULTILINE)))

    def environment(self, runtime: Mapping[str, str]) -> Environment:
        """Describe the phone; ``runtime`` as in :func:`read_environment`."""
        with tempfile.TemporaryDirectory() as folder:
            self._write(Path(folder))
            read = read_environment(runtime, Path(folder))
        android = self.properties["ro.build.version.release"]
        names = [f"Android {android}" if android else "", self.uname[1]]
        return dataclasses.replace(
            read,
            board=self._board() or read.board,
            architecture=self.machine,
            cpus=self.cpus,
            affinity=tuple(range(self.cpus)),
            os=", ".join(filter(None, names)),
            soc=self.properties["ro.soc.model"] or read.soc,
            emulated=self._emulated(),
            versions=Versions(
                linnet=runtime.get("version"),
                executorch=runtime.get("executorch"),
                python="none (C runner)",
                numpy=None,
            ),
        )

    def state(self) -> State:
        """Return frequency, load and temperature at the time of the reply."""
        with tempfile.TemporaryDirectory() as folder:
            self._write(Path(folder))
            read = read_state(Path(folder))
        load = self.files.get("/proc/loadavg", "").split()[:3]
        return dataclasses.replace(read, load_average=tuple(map(float, load)))

    def _emulated(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            self._write(Path(folder))
            return emulation(Path(folder), self.machine)

    def _board(self) -> str:
        properties = self.properties
        name = f"{properties['ro.product.manufacturer']} {properties['ro.product.model']}".strip()
        soc = f"{properties['ro.soc.manufacturer']} {properties['ro.soc.model']}".strip()
        return f"{name} ({soc})" if name and soc else name or soc

    def _write(self, root: Path) -> None:
        for name, text in self.files.items():
            path = root / PurePosixPath(name).relative_to("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def read_phone(answer: str) -> Phone:
    """Parse the reply to :data:`ASK`."""
    parts: dict[str, str] = {}
    for part in answer.split(f"{_MARK} ")[1:]:
        name, _, text = part.partition("\n")
        parts[name.strip()] = text
    machine, _, system = parts.get("uname", "").strip().partition("\n")
    return Phone(
        properties={name: parts.get(name, "").strip() for name in _PROPERTIES},
        files={name: text for name, text in parts.items() if name.startswith("/") and text and "*" not in name},
        uname=(machine.strip(), system.strip()),
    )
