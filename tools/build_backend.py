"""PEP 517 build backend: scikit-build-core behind a check that this machine can run linnet.

pyproject.toml names it; pip and `python -m build` call it, nobody by hand. Without the check, pip on a 32-bit board
would end in pages of CMake errors.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from typing import Any

_MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64",)}
"""What ExecuTorch publishes libraries for, by platform.system() (fetch_executorch.py)."""


def refusal(system: str, machine: str, bits: int) -> str | None:
    """Return why linnet cannot be built for a machine, or None. ``bits`` are those of a pointer in this Python."""
    if machine in _MACHINES.get(system, ()) and bits == 64:
        return None
    python = f"{bits}-bit Python on {system} {machine}"
    return (
        f"linnet cannot be installed here: found {python}, expected 64-bit Linux (x86_64 or aarch64) or macOS (arm64), "
        "for which ExecuTorch publishes libraries; on a Raspberry Pi install the 64-bit Raspberry Pi OS"
    )


def _check() -> None:
    if os.environ.get("LINNET_EXECUTORCH_SDK"):  # whoever brings an SDK brings it for the right machine
        return
    reason = refusal(platform.system(), platform.machine(), 64 if sys.maxsize > 2**32 else 32)
    if reason is not None:
        raise SystemExit(reason)


def _checked(name: str) -> Callable[..., Any]:
    def hook(*arguments: Any, **settings: Any) -> Any:
        _check()
        from scikit_build_core import build

        return getattr(build, name)(*arguments, **settings)

    hook.__name__ = name
    return hook


get_requires_for_build_wheel = _checked("get_requires_for_build_wheel")
get_requires_for_build_editable = _checked("get_requires_for_build_editable")
prepare_metadata_for_build_wheel = _checked("prepare_metadata_for_build_wheel")
prepare_metadata_for_build_editable = _checked("prepare_metadata_for_build_editable")
build_wheel = _checked("build_wheel")
build_editable = _checked("build_editable")


def get_requires_for_build_sdist(settings: Any = None) -> Any:
    """Sources can be packed anywhere."""
    from scikit_build_core import build

    return build.get_requires_for_build_sdist(settings)


def build_sdist(folder: str, settings: Any = None) -> Any:
    """Sources can be packed anywhere."""
    from scikit_build_core import build

    return build.build_sdist(folder, settings)
