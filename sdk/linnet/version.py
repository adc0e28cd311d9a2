"""The version of the installed distribution."""

from __future__ import annotations

__all__ = ["DISTRIBUTION", "UNKNOWN", "install_line", "version"]

DISTRIBUTION = "linnet"
UNKNOWN = "0+unknown"


def install_line(extra: str) -> str:
    """Return the command that installs an extra; no package index has linnet."""
    return f'pip install "WHEEL[{extra}]", WHEEL being the .whl that `make wheel` writes to dist/ of a clone of linnet'


def version() -> str:
    """Return the version of the distribution, or :data:`UNKNOWN` if linnet is not installed (a source tree)."""
    from importlib import metadata  # slow to import, and rarely needed

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return UNKNOWN
