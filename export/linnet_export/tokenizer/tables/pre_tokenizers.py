"""Pre-tokenizers of the tables, in the order of kPreTokenizers in the core's steps.cpp."""

from __future__ import annotations

from collections.abc import Sequence

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import numbers, string
from linnet_export.tokenizer.parts import Json
from linnet_export.tokenizer.tables.expressions import EXPRESSIONS
from linnet_export.tokenizer.tables.steps import Makers, Step, components

__all__ = ["PRE_TOKENIZERS", "is_byte_level"]

_BYTE_LEVEL, _DIGITS, _SPLIT, _TEXT_SPLIT, _WHITESPACE, _WHITESPACE_SPLIT, _PUNCTUATION, _METASPACE = range(8)

_BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")

_SCHEMES = ("always", "first", "never")


def _byte_level(component: Json) -> Sequence[Step]:
    return [Step(_BYTE_LEVEL, numbers(component["add_prefix_space"], component["use_regex"]))]


def _digits(component: Json) -> Sequence[Step]:
    return [Step(_DIGITS, numbers(component["individual_digits"]))]


def _split(component: Json) -> Sequence[Step]:
    pattern = component["pattern"]
    how = numbers(_BEHAVIORS.index(component["behavior"]), component["invert"])
    if pattern.get("String"):
        return [Step(_TEXT_SPLIT, string(pattern["String"]) + how)]
    expression = pattern.get("Regex")
    if expression not in EXPRESSIONS:
        raise unsupported_part(f"pre_tokenizer Split by {pattern}", "an expression that the core has a matcher for")
    return [Step(_SPLIT, numbers(EXPRESSIONS[expression]) + how)]


def _delimiter(component: Json) -> Sequence[Step]:
    removed = numbers(_BEHAVIORS.index("Removed"), False)
    return [Step(_TEXT_SPLIT, string(component["delimiter"]) + removed)]


def _punctuation(component: Json) -> Sequence[Step]:
    return [Step(_PUNCTUATION, numbers(_BEHAVIORS.index(component["behavior"])))]


def _bert(component: Json) -> Sequence[Step]:
    return [Step(_WHITESPACE_SPLIT), Step(_PUNCTUATION, numbers(_BEHAVIORS.index("Isolated")))]


def _metaspace(component: Json) -> Sequence[Step]:
    scheme = _SCHEMES.index(component["prepend_scheme"])
    return [Step(_METASPACE, string(component["replacement"]) + numbers(scheme, component["split"]))]


PRE_TOKENIZERS: Makers = {
    "BertPreTokenizer": _bert,
    "ByteLevel": _byte_level,
    "CharDelimiterSplit": _delimiter,
    "Digits": _digits,
    "Metaspace": _metaspace,
    "Punctuation": _punctuation,
    "Split": _split,
    "Whitespace": lambda _: [Step(_WHITESPACE)],
    "WhitespaceSplit": lambda _: [Step(_WHITESPACE_SPLIT)],
}
"""Steps of each pre-tokenizer of tokenizer.json."""


def is_byte_level(component: Json | None) -> bool:
    """Return whether a pre-tokenizer turns bytes into characters, which the core's model does.

    Raises:
        UnsupportedTokenizerError: other steps follow, which would see those characters.
    """
    types = [inner["type"] for inner in components(component, "pretokenizers")]
    if "ByteLevel" in types[:-1]:
        raise unsupported_part("pre_tokenizer ByteLevel before others", "ByteLevel as the last one")
    return types[-1:] == ["ByteLevel"]
