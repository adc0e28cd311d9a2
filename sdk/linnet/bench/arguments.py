"""Lists of numbers on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

__all__ = ["joined", "numbers"]


def numbers(text: str) -> tuple[int, ...]:
    """Read "8,16,32"; each number once, in the given order."""
    try:
        found = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, needed whole numbers of at least 1, as in 8,16,32")
    return found


def joined(values: Sequence[int]) -> str:
    """Write the same."""
    return ",".join(map(str, values))
