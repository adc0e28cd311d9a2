"""Cache folder of the user: results of self-tests and tuned settings."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["CACHE_VARIABLE", "cache_folder"]

CACHE_VARIABLE = "LINNET_CACHE"
"""Environment variable: cache folder, instead of ``$XDG_CACHE_HOME/linnet`` or ``~/.cache/linnet``."""


def cache_folder() -> Path | None:
    """Return the cache folder, or None if no environment variable sets it and the user has no home folder."""
    given, base = os.environ.get(CACHE_VARIABLE), os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(given) if given else Path(base or Path.home() / ".cache") / "linnet"
    except RuntimeError:  # Path.home() raises it for a user without a home folder
        return None
