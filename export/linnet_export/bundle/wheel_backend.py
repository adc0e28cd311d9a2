"""Build backend of a folder that linnet bundle wrote: ``pip install .`` makes its wheel without an index.

The packages of the wheel are those that pyproject.toml names in ``[tool.linnet-bundle]``, with every file in them.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import platform
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["build_wheel", "python_of", "write_wheel"]

_MACHINES = ("x86_64", "aarch64", "arm64")
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold: the same content gives the same bytes


def build_wheel(
    wheel_directory: str,
    config_settings: Mapping[str, object] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Write the wheel of the current folder into a directory and return its name, as PEP 517 says."""
    _check_python()
    described = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    project, packages = described["project"], described["tool"]["linnet-bundle"]["packages"]
    name = project["name"].replace("-", "_")
    folder = f"{name}-{project['version']}.dist-info"
    files = {
        path.as_posix(): path.read_bytes()
        for package in packages
        for path in Path(package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    files[f"{folder}/METADATA"] = f"{head}Requires-Python: {project['requires-python']}\n".encode()
    files[f"{folder}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: linnet bundle\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    wheel = f"{name}-{project['version']}-py3-none-any.whl"
    Path(wheel_directory, wheel).write_bytes(write_wheel(files, folder))
    return wheel


def python_of(wheel: str) -> str:
    """Return for which Python and machine a wheel is, by its name: "CPython 3.12 or newer on x86_64 Linux"."""
    python, abi, platforms = Path(wheel).stem.split("-")[-3:]
    newer = " or newer" if abi == "abi3" else ""
    machine = next((name for name in _MACHINES if platforms.endswith(name)), platforms)
    system = "Linux" if "linux" in platforms else "macOS" if "macos" in platforms else ""
    return f"CPython {python[2]}.{python[3:]}{newer} on {machine} {system}".rstrip()


def _check_python() -> None:
    """End with a message where the wheel of linnet beside the packages is for another Python or machine.

    pip would say only that it is not a supported wheel on this platform.
    """
    for wheel in Path("wheels").glob("linnet-*.whl"):
        python, abi, platforms = wheel.stem.split("-")[-3:]
        if not python.startswith("cp"):
            continue
        wanted, here = (int(python[2]), int(python[3:])), sys.version_info[:2]
        fits = here >= wanted if abi == "abi3" else here == wanted
        if not fits or (platform.machine() in _MACHINES and not platforms.endswith(platform.machine())):
            found = f"CPython {here[0]}.{here[1]} on {platform.machine()} {platform.system()}"
            raise SystemExit(
                f"expected {python_of(wheel.name)}, for which this bundle is, got {found}; use that Python, or "
                "write the bundle again with `linnet bundle --wheel FILE` and linnet's wheel for this one"
            )


def write_wheel(files: Mapping[str, bytes], folder: str) -> bytes:
    """Return a wheel: the files, and the list of them with their hashes in ``folder``, which ends in .dist-info."""
    rows = io.StringIO()
    table = csv.writer(rows, lineterminator="\n")
    for name, data in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        table.writerow((name, f"sha256={digest}", len(data)))
    table.writerow((f"{folder}/RECORD", "", ""))
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*sorted(files.items()), (f"{folder}/RECORD", rows.getvalue().encode())]:
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return written.getvalue()
