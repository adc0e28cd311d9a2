"""Checks that the optional dependencies of training and search are installed."""

from __future__ import annotations

import importlib.util

from linnet.errors import ExtraMissingError
from linnet.version import install_line

__all__ = ["require_extra"]

_NEEDED = ("torch", "transformers", "accelerate", "safetensors", "tokenizers")


def require_extra(what: str, *more: str, extra: str = "train") -> None:
    """Check that the packages of an extra are installed.

    Args:
        what: the feature that needs it, for the message.
        more: packages required beside the usual ones.
        extra: that has all of them.

    Raises:
        ExtraMissingError: some are missing; the message lists them.
    """
    missing = [name for name in (*_NEEDED, *more) if importlib.util.find_spec(name) is None]
    if missing:
        raise ExtraMissingError(f"{what} needs {', '.join(missing)}, not installed here; run: {install_line(extra)}")
