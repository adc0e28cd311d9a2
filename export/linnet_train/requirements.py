"""What has to be installed for training, and for a search."""

from __future__ import annotations

import importlib.util

from linnet.errors import ExtraMissingError

__all__ = ["require_extra"]

_NEEDED = ("torch", "transformers", "accelerate", "safetensors", "tokenizers")


def require_extra(what: str, *more: str, extra: str = "train") -> None:
    """Refuse where an extra is not installed.

    Args:
        what: needs it, in words.
        more: packages that are needed beside the usual ones.
        extra: that has all of them.

    Raises:
        ExtraMissingError: it names what is missing.
    """
    missing = [name for name in (*_NEEDED, *more) if importlib.util.find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f'{what} needs {", ".join(missing)}, not installed here; run: pip install "linnet[{extra}]"'
        )
