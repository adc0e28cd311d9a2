"""Patterns of Replace and Split in the tables."""

from __future__ import annotations

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.tables.layout import numbers, string
from linnet_export.tokenizer.tables.steps import Json

__all__ = ["pack_pattern"]

_TEXT, _SPACES = range(2)


def pack_pattern(pattern: Json) -> bytes:
    """Return the bytes of what Replace searches, as the core's ``pattern.h`` reads them.

    Raises:
        UnsupportedTokenizerError: a regular expression that the core does not have.
    """
    if pattern.get("Regex") == " {2,}":
        return numbers(_SPACES) + string("")
    text = pattern.get("String")
    if not text:
        raise unsupported_part(f"Replace of {pattern}", "a text, or two or more spaces")
    return numbers(_TEXT) + string(text)
