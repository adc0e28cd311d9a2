"""Installed size of packages: ``python -m benchmarks.peers.installed NAME ...``, in any environment with packaging.

Prints the size in bytes of the named distributions with all their requirements, without byte code.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

__all__ = ["installed_size"]


def installed_size(distributions: Sequence[str]) -> int:
    """Return the size in bytes of distributions with all their requirements, without byte code."""
    return sum(_size(name) for name in sorted(_closure(distributions)))


def _closure(names: Sequence[str]) -> set[str]:
    closure: set[str] = set()
    waiting = [_canonical(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in closure:
            continue
        closure.add(name)
        if name != "linnet":  # linnet's requirement, numpy, is named explicitly where linnet is measured
            waiting.extend(_requirements(name))
    return closure


def _requirements(name: str) -> Iterator[str]:
    for line in metadata.distribution(name).requires or ():
        requirement = Requirement(line)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and _is_installed(requirement.name):
            yield _canonical(requirement.name)


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _size(name: str) -> int:
    if name == "linnet":  # may be a development checkout, which has no list of files
        return sum(_folder_size(package) for package in ("linnet", "linnet_runtime"))
    files = metadata.distribution(name).files or ()
    paths = (Path(str(file.locate())) for file in files if "__pycache__" not in file.parts)
    return sum(path.stat().st_size for path in paths if path.is_file())


def _folder_size(package: str) -> int:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"found no package {package}; install linnet first")
    files = Path(spec.submodule_search_locations[0]).rglob("*")
    return sum(
        file.stat().st_size
        for file in files
        if file.is_file() and not file.is_symlink() and "__pycache__" not in file.parts
    )


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    print(installed_size(sys.argv[1:]))
