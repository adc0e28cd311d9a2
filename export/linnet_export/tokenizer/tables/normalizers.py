"""Normalizers of the tables, in the order of kNormalizers in the core's steps.cpp."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import block, numbers, string
from linnet_export.tokenizer.parts import Json
from linnet_export.tokenizer.tables.layout import array
from linnet_export.tokenizer.tables.patterns import pack_pattern
from linnet_export.tokenizer.tables.steps import Makers, Step

__all__ = ["NORMALIZERS"]

_NORMAL_FORM, _FILTER, _SPACES, _LOWERCASE, _CHINESE, _STRIP, _PREPEND, _REPLACE, _PRECOMPILED = range(9)

_FORMS = ("NFC", "NFD", "NFKC", "NFKD")
# sets of characters in sets.cpp
_COMBINING_MARKS, _NONSPACING_MARKS, _CONTROLS, _NMT_CONTROLS = range(4)
_BLANKS, _NMT_BLANKS = range(2)


def _form(component: Json) -> Sequence[Step]:
    return [Step(_NORMAL_FORM, numbers(_FORMS.index(component["type"])))]


def _bert(component: Json) -> Sequence[Step]:
    steps = []
    if component["clean_text"]:
        steps += [Step(_FILTER, numbers(_CONTROLS)), Step(_SPACES, numbers(_BLANKS))]
    if component["handle_chinese_chars"]:
        steps += [Step(_CHINESE)]
    strips = component["strip_accents"]
    if component["lowercase"] if strips is None else strips:  # `tokenizers`: accents go with the capitals
        steps += [Step(_NORMAL_FORM, numbers(_FORMS.index("NFD"))), Step(_FILTER, numbers(_NONSPACING_MARKS))]
    if component["lowercase"]:
        steps += [Step(_LOWERCASE)]
    return steps


def _nmt(component: Json) -> Sequence[Step]:
    return [Step(_FILTER, numbers(_NMT_CONTROLS)), Step(_SPACES, numbers(_NMT_BLANKS))]


def _strip(component: Json) -> Sequence[Step]:
    return [Step(_STRIP, numbers(component["strip_left"], component["strip_right"]))]


def _replace(component: Json) -> Sequence[Step]:
    return [Step(_REPLACE, pack_pattern(component["pattern"]) + string(component["content"]))]


def _precompiled(component: Json) -> Sequence[Step]:
    charsmap = base64.b64decode(component["precompiled_charsmap"] or "")
    size = int(np.frombuffer(charsmap[:4].ljust(4, b"\0"), dtype="<u4")[0])
    if size < 4 or size % 4 or 4 + size > len(charsmap):
        raise unsupported_part("a character map that is empty or cut off", "a whole one")
    units = np.frombuffer(charsmap[4 : 4 + size], dtype="<u4")
    return [Step(_PRECOMPILED, array(units) + block(charsmap[4 + size :]))]


NORMALIZERS: Makers = {
    **dict.fromkeys(_FORMS, _form),
    "BertNormalizer": _bert,
    "Lowercase": lambda _: [Step(_LOWERCASE)],
    "Nmt": _nmt,
    "Precompiled": _precompiled,
    "Prepend": lambda component: [Step(_PREPEND, string(component["prepend"]))],
    "Replace": _replace,
    "Strip": _strip,
    "StripAccents": lambda _: [Step(_FILTER, numbers(_COMBINING_MARKS))],
}
"""Steps of each normalizer of tokenizer.json."""
