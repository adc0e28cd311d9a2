"""JSON from files of strangers: parsed with limits on its size, its nesting and its numbers."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["MOST_BYTES", "MOST_NESTING", "MOST_WHOLE", "parse_json"]

MOST_BYTES = 16 << 20
MOST_NESTING = 64
MOST_WHOLE = 2**53 - 1
"""Largest whole number that every reader of JSON represents exactly: the limit of typed fields."""

_MOST_INT64 = 2**63 - 1


def parse_json(text: str | bytes, *, most_bytes: int = MOST_BYTES) -> Any:
    """Parse a JSON document whose values every consumer can handle.

    Args:
        text: the document; bytes are UTF-8.
        most_bytes: limit of its size; bytes, or characters of a str.

    Raises:
        ValueError: it is not JSON; or it is too large, has more than :data:`MOST_NESTING` levels, a number that is not
            finite or a whole number beyond 64 bits, or text that UTF-8 cannot write.
    """
    if len(text) > most_bytes:
        raise ValueError(f"it has {len(text)} bytes, expected at most {most_bytes}")
    document = text.decode() if isinstance(text, bytes) else text
    try:
        value = json.loads(document, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError(f"it has more than {MOST_NESTING} levels") from error
    _check_values(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it has the number {name}, which JSON does not know")


def _check_values(value: Any) -> None:
    """Check all values level by level, since a recursive check would itself run out of stack."""
    level = [value]
    for _ in range(MOST_NESTING):
        below: list[Any] = []
        for entry in level:
            if isinstance(entry, dict):
                below += entry
                below += entry.values()
            elif isinstance(entry, list):
                below += entry
            else:
                _check_plain(entry)
        if not below:
            return
        level = below
    raise ValueError(f"it has more than {MOST_NESTING} levels")


def _check_plain(value: str | float | bool | None) -> None:
    if isinstance(value, str):
        if not value.isascii():
            value.encode()  # UnicodeEncodeError is a ValueError
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("it has a number that is not finite")
    elif isinstance(value, int) and not -_MOST_INT64 <= value <= _MOST_INT64:
        raise ValueError("it has a whole number beyond 64 bits")
