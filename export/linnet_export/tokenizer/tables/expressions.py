"""Regular expressions of published tokenizers that the core has a matcher for."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EXPRESSIONS"]

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_FOLDED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_BLANKS = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = _FOLDED + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _BLANKS
_QWEN2 = _FOLDED + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _BLANKS

_WORD = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_O200K = (
    _WORD + r"*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _FOLDED + r"?|" + _WORD + r"+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _FOLDED
    + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + _BLANKS
)  # fmt: skip
_THREE_DIGITS = r"\p{N}{1,3}"
_DEEPSEEK_CJK = "[一-龥\u3040-ゟ゠-ヿ]+"
_DEEPSEEK = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"
    + _BLANKS
)
_QWEN35 = _FOLDED + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + _BLANKS

EXPRESSIONS: Mapping[str, int] = {
    _GPT2: 0,
    _LLAMA3: 1,
    _QWEN2: 2,
    _O200K: 3,
    _THREE_DIGITS: 4,
    _DEEPSEEK_CJK: 5,
    _DEEPSEEK: 6,
    _QWEN35: 7,
}
"""Number of each expression in the core's ``expressions.cpp``."""
