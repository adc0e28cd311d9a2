"""Patterns of Replace and Split in the tables."""

from __future__ import annotations

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import numbers, string
from linnet_export.tokenizer.parts import Json

__all__ = ["pack_pattern"]

_TEXT, _SPACES, _BLANKS = range(3)

_EXPRESSIONS = {" {2,}": _SPACES, r"\s{2,}|[\n\r\t]": _BLANKS}
"""Regular expressions of published tokenizers: of XLM-R, and of DeBERTa-v3."""


def pack_pattern(pattern: Json) -> bytes:
    """Return the bytes of what Replace searches, as the core's ``pattern.h`` reads them.

    Raises:
        UnsupportedTokenizerError: a regular expression that the core does not have.
    """
    expression = _EXPRESSIONS.get(pattern.get("Regex", ""))
    if expression is not None:
        return numbers(expression) + string("")
    text = pattern.get("String")
    if not text:
        raise unsupported_part(f"Replace of {pattern}", "a text, or one of the expressions of XLM-R and DeBERTa")
    return numbers(_TEXT) + string(text)
