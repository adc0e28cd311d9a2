"""Sources of linnet's kernels for apps, with the headers of ExecuTorch that they include."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

from linnet.errors import BuildError
from linnet_export.bundle.content import Content, collect

__all__ = ["executorch_headers", "kernel_sources"]

_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
_PORTABLE_TYPE = "executorch/runtime/core/portable_type/c10/"
"""Folder of PyTorch's headers (c10, torch/headeronly) in ExecuTorch's, which is a second root of includes."""


def kernel_sources(cpp: Path, into: str) -> Content:
    """Return the kernels, their build file and ExecuTorch's headers, to be put below ``into``.

    Args:
        cpp: folder of the core's sources for apps.
        into: folder of the bundle that has ``runtime``.

    Raises:
        BuildError: ExecuTorch is not installed here.
    """
    kernels: Content = {}
    for part in ("kernels", "memory", "program"):
        kernels |= collect(cpp / part, f"{into}/runtime/{part}")
    sources = [path for path in kernels.values() if isinstance(path, Path)]
    headers = executorch_headers(sources, _include_folder())
    return {
        **kernels,
        **collect(cpp / "kernel_library", f"{into}/kernel_library"),
        **{f"{into}/executorch/{name}": path for name, path in headers.items()},
    }


def executorch_headers(sources: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Return ExecuTorch's headers that C++ sources include, and what these include, by their name below ``folder``."""
    found: dict[str, Path] = {}
    left = list(sources)
    while left:
        source = left.pop()
        for name in _INCLUDE.findall(source.read_text(encoding="utf-8")):
            for path in (folder / name, folder / _PORTABLE_TYPE / name, source.parent / name):
                inside = path.is_relative_to(folder) and path.is_file()
                if inside and (known := path.relative_to(folder).as_posix()) not in found:
                    found[known] = path
                    left.append(path)
    return dict(sorted(found.items()))


def _include_folder() -> Path:
    spec = importlib.util.find_spec("executorch")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        include = Path(folder) / "include"
        if include.is_dir():
            return include
    raise BuildError(
        "an app needs ExecuTorch's headers for linnet's kernels, and ExecuTorch is not installed here; install "
        "linnet with its extra export"
    )
