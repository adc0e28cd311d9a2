"""Wheels of linnet: made of the installed package, or given, and what is taken out of them."""

from __future__ import annotations

import functools
import platform
import re
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

from linnet.errors import BuildError, InvalidArgumentError
from linnet.version import version
from linnet_export.bundle.content import Content
from linnet_export.bundle.settings import BundleSettings
from linnet_export.bundle.wheel_backend import write_wheel

__all__ = ["ARCHITECTURES", "check_architecture", "linnet_wheel", "read_runtime"]

ARCHITECTURES: tuple[str, ...] = ("x86_64", "aarch64")
"""Processors that wheels of linnet are made for."""

_RUNTIME = (("linnet_runtime", "lib"), ("linnet_runtime", "include"))
_OF_INSTALLATION = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
_NAME = re.compile(r"linnet-(?P<version>[^-]+)-[^-]+-[^-]+-(?P<platform>[^-]+)\.whl")


def linnet_wheel(settings: BundleSettings) -> tuple[str, bytes | Path]:
    """Return name and content of the wheel of linnet that is given, or one made of the installed linnet.

    Raises:
        InvalidArgumentError: the wheel is none of this linnet's, or for another processor than asked for.
        BuildError: none is given, and linnet is installed so that no wheel can be made of it.
    """
    check_architecture(settings)
    if settings.wheel is not None:
        return settings.wheel.name, settings.wheel
    return _installed()


def check_architecture(settings: BundleSettings) -> str:
    """Return for which processor a bundle is.

    Raises:
        InvalidArgumentError: the wheel is none of this linnet's, or for another processor than asked for; or another
            processor than this machine's is asked for without a wheel.
    """
    here = platform.machine()
    if settings.wheel is None:
        if settings.architecture not in (None, here):
            raise InvalidArgumentError(
                f"this linnet has its library for {here} only, expected a wheel for {settings.architecture}; give one "
                "with --wheel FILE (make wheel-aarch64 in linnet's sources writes those for aarch64 into dist/)"
            )
        return here
    found = _NAME.fullmatch(settings.wheel.name)
    if found is None or not zipfile.is_zipfile(settings.wheel):
        raise InvalidArgumentError(f"{settings.wheel} is no wheel of linnet; expected one as make wheel writes it")
    if found["version"] != version():
        raise InvalidArgumentError(
            f"{settings.wheel} has linnet {found['version']}, expected {version()}, with which the file was checked"
        )
    architecture = next((name for name in ARCHITECTURES if found["platform"].endswith(name)), found["platform"])
    if settings.architecture not in (None, architecture):
        raise InvalidArgumentError(f"{settings.wheel} is for {architecture}, expected {settings.architecture}")
    return architecture


def read_runtime(wheel: Path) -> Content:
    """Return the files of ``linnet_runtime/lib`` and ``linnet_runtime/include`` in a wheel, by their path there."""
    with zipfile.ZipFile(wheel) as archive:
        names = [PurePosixPath(name) for name in archive.namelist() if not name.endswith("/")]
        wanted = [name for name in names if name.parts[:2] in _RUNTIME and ".." not in name.parts]
        return {str(PurePosixPath(*name.parts[1:])): archive.read(str(name)) for name in wanted}


@functools.cache
def _installed() -> tuple[str, bytes]:
    distribution = metadata.distribution("linnet")
    kept: dict[str, bytes] = {}
    for path in distribution.files or ():
        if path.parts[0] == ".." or path.suffix == ".pyc" or path.name in _OF_INSTALLATION:
            continue
        kept[str(path)] = Path(str(path.locate())).read_bytes()
    tags = re.findall(r"^Tag: (\S+)$", distribution.read_text("WHEEL") or "", re.MULTILINE)
    if not tags or not any(name.startswith("linnet_runtime/lib/") for name in kept):
        raise BuildError(
            "linnet is installed as a link to its sources, so no wheel can be made of it; give one with --wheel FILE "
            "(make wheel in linnet's sources writes them into dist/)"
        )
    folder = next(name.partition("/")[0] for name in kept if name.partition("/")[0].endswith(".dist-info"))
    return f"linnet-{distribution.version}-{tags[0]}.whl", write_wheel(kept, folder)
