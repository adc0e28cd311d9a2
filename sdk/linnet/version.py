"""The version of the installed distribution."""

from __future__ import annotations

__all__ = ["DISTRIBUTION", "UNKNOWN", "version"]

DISTRIBUTION = "linnet"
UNKNOWN = "0+unknown"


def version() -> str:
    """Return the distribution's version, :data:`UNKNOWN` when the source tree runs without installation."""
    from importlib import metadata  # slow to import, and rarely asked for

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return UNKNOWN
