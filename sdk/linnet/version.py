"""The version of the installed distribution."""

from __future__ import annotations

__all__ = ["DISTRIBUTION", "UNKNOWN", "version"]

DISTRIBUTION = "linnet"
UNKNOWN = "0+unknown"


def version() -> str:
    """Return the version of the distribution, or :data:`UNKNOWN` if linnet is not installed (a source tree)."""
    from importlib import metadata  # slow to import, and rarely needed

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return UNKNOWN
