"""The user's cache folder: notes of the self-test and tuned settings."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["CACHE_VARIABLE", "cache_folder"]

CACHE_VARIABLE = "LINNET_CACHE"
"""Environment variable: folder of notes instead of ``$XDG_CACHE_HOME/linnet`` or ``~/.cache/linnet``."""


def cache_folder() -> Path | None:
    """Return the user's folder of notes and profiles, or None for a user without a home."""
    given, base = os.environ.get(CACHE_VARIABLE), os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(given) if given else Path(base or Path.home() / ".cache") / "linnet"
    except RuntimeError:  # a user without a home
        return None
