"""Compatibility of wheels with a machine, from the wheel's name and the machine's description.

The rules are those of the packaging user guide's "platform compatibility tags", as far as Linux with glibc needs
them (PEP 425, 599, 600).
"""

from __future__ import annotations

import dataclasses
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet_bench.measure.files import file_sha256

__all__ = [
    "Requirement",
    "Target",
    "Wheel",
    "changed_files",
    "find_fitting",
    "find_wheels",
    "numbers_of",
    "read_requirements",
]

_NAME = re.compile(r"([^-]+)-([^-]+)(?:-\d[^-]*)?-([^-]+)-([^-]+)-([^-]+)\.whl")
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}  # PEP 600's table
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?\s*(?:;\s*extra\s*==\s*['\"](\w+)['\"])?")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """Properties of a Python on a device that decide which wheels fit.

    Attributes:
        python: its version, major and minor.
        machine: as ``uname -m`` prints it in that process.
        bits: width of a pointer.
        glibc: version of the C library; None if it is another one.
        free_threaded: built without the global interpreter lock.
    """

    python: tuple[int, int]
    machine: str
    bits: int
    glibc: tuple[int, int] | None
    free_threaded: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wheel:
    """A wheel and the parts of its name.

    Attributes:
        path: path of the file.
        project, version: name and version of the distribution.
        pythons, abis, platforms: its tags.
    """

    path: Path
    project: str
    version: str
    pythons: frozenset[str]
    abis: frozenset[str]
    platforms: frozenset[str]

    @property
    def sha256(self) -> str:
        """Return the hexadecimal SHA-256 of its bytes."""
        return file_sha256(self.path)

    def fits(self, target: Target) -> bool:
        """Return whether pip would install it there."""
        return (
            target.bits == 64
            and any(_fits_python(python, abi, target) for python in self.pythons for abi in self.abis)
            and any(_fits_platform(platform, target) for platform in self.platforms)
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Requirement:
    """Another distribution that a wheel needs.

    Attributes:
        name: name of the distribution.
        least: lowest sufficient version, or empty.
    """

    name: str
    least: str = ""

    def met_by(self, version: str | None) -> bool:
        """Return whether that installed version (None: not installed) is sufficient."""
        return version is not None and numbers_of(version) >= numbers_of(self.least)

    def __str__(self) -> str:
        return f"{self.name}>={self.least}" if self.least else self.name


def numbers_of(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: (2, 1, 0) for "2.1.0rc1"."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z+-]", version)[0]))


def read_wheel(path: Path) -> Wheel | None:
    """Parse a wheel's name; return None if it is no wheel's name."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    project, version, *tags = match.groups()
    pythons, abis, platforms = (frozenset(tag.split(".")) for tag in tags)
    return Wheel(path=path, project=project, version=version, pythons=pythons, abis=abis, platforms=platforms)


def find_wheels(places: Iterable[Path]) -> tuple[Path, ...]:
    """Return the wheels at ``places``, which are wheels or folders of them.

    Raises:
        InvalidArgumentError: a place is neither.
    """
    paths: list[Path] = []
    for place in places:
        if place.is_dir():
            paths += sorted(place.glob("*.whl"))
        elif place.is_file() and read_wheel(place) is not None:
            paths.append(place)
        else:
            raise InvalidArgumentError(f"--wheel {place} is neither a wheel nor a folder of wheels")
    return tuple(paths)


def find_fitting(paths: Sequence[Path], project: str, target: Target) -> Wheel | None:
    """Return the wheel of ``project`` that fits: the highest version, and among equals the newest file."""
    wheels = [wheel for wheel in map(read_wheel, paths) if wheel is not None]
    fitting = [wheel for wheel in wheels if wheel.project.lower() == project and wheel.fits(target)]
    return max(fitting, key=lambda wheel: (numbers_of(wheel.version), wheel.path.stat().st_mtime), default=None)


def read_requirements(wheel: Wheel, extras: Sequence[str] = ()) -> tuple[Requirement, ...]:
    """Return the requirements in the wheel's metadata, without extras and for some of its extras.

    Raises:
        InvalidArgumentError: the wheel is damaged.
    """
    name = f"{wheel.project}-{wheel.version}.dist-info/METADATA"
    try:
        with zipfile.ZipFile(wheel.path) as archive:
            text = archive.read(name).decode("utf-8")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidArgumentError(f"{wheel.path}: the wheel is damaged: {error}") from error
    requirements = []
    for line in text.split("\n\n")[0].splitlines():
        parsed = _REQUIREMENT.fullmatch(line.removeprefix("Requires-Dist:").strip())
        if line.startswith("Requires-Dist:") and parsed and (parsed[3] is None or parsed[3] in extras):
            requirements.append(Requirement(name=parsed[1], least=parsed[2] or ""))
    return tuple(requirements)


def changed_files(wheel: Wheel, package: Path) -> int:
    """Return how many Python files of the package differ in the wheel or are missing there, as after a forgotten build.

    Args:
        wheel: a wheel of the same project.
        package: folder of the installed package.
    """
    with zipfile.ZipFile(wheel.path) as archive:
        there = {entry.filename: entry.CRC for entry in archive.infolist()}
    files = [path for path in package.rglob("*.py") if path.is_file()]
    names = ((path, path.relative_to(package.parent).as_posix()) for path in files)
    return sum(there.get(name) != zlib.crc32(path.read_bytes()) for path, name in names)


def _fits_python(python: str, abi: str, target: Target) -> bool:
    major, minor = target.python
    match = re.fullmatch(r"(py|cp)(\d)(\d*)", python)
    if match is None:
        return False
    least = (int(match[2]), int(match[3] or 0))
    if abi == "none":
        return least == (major, minor) if match[1] == "cp" else least[0] == major and least[1] <= minor
    if match[1] != "cp" or target.free_threaded:
        return False
    if abi == "abi3":
        return (3, 2) <= least <= (major, minor) and least[0] == major  # PEP 384: since 3.2
    return least == (major, minor) and abi == python


def _fits_platform(platform: str, target: Target) -> bool:
    if platform == "any":
        return True
    match = re.fullmatch(r"(linux|manylinux_(\d+)_(\d+)|manylinux1|manylinux2010|manylinux2014)_(\w+)", platform)
    if match is None or match[4] != target.machine or target.glibc is None:
        return False
    if match[1] == "linux":  # built for one machine; a test import after the installation shows whether it runs
        return True
    needed = _LEGACY.get(match[1]) or (int(match[2]), int(match[3]))
    return needed <= target.glibc
