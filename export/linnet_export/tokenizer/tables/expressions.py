"""Regular expressions of published tokenizers that the core has a matcher for."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EXPRESSIONS"]

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_FOLDED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_BLANKS = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = _FOLDED + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _BLANKS
_QWEN2 = _FOLDED + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _BLANKS

EXPRESSIONS: Mapping[str, int] = {_GPT2: 0, _LLAMA3: 1, _QWEN2: 2}
"""Number of each expression in the core's ``expressions.cpp``."""
