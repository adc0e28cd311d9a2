"""Decoders of the tables, in the order of kDecoders in the core's steps.cpp."""

from __future__ import annotations

from collections.abc import Sequence

from linnet_export.tokenizer.packing import numbers, string
from linnet_export.tokenizer.parts import Json
from linnet_export.tokenizer.tables.patterns import pack_pattern
from linnet_export.tokenizer.tables.steps import Makers, Step

__all__ = ["DECODERS"]

_BYTE_LEVEL, _BYTE_FALLBACK, _FUSE, _REPLACE, _STRIP, _WORDPIECE, _BPE, _METASPACE = range(8)


def _metaspace(component: Json) -> Sequence[Step]:
    return [Step(_METASPACE, string(component["replacement"]) + numbers(component["prepend_scheme"] != "never"))]


def _replace(component: Json) -> Sequence[Step]:
    return [Step(_REPLACE, pack_pattern(component["pattern"]) + string(component["content"]))]


def _strip(component: Json) -> Sequence[Step]:
    return [Step(_STRIP, string(component["content"]) + numbers(component["start"], component["stop"]))]


def _wordpiece(component: Json) -> Sequence[Step]:
    return [Step(_WORDPIECE, string(component["prefix"]) + numbers(component["cleanup"]))]


DECODERS: Makers = {
    "BPEDecoder": lambda component: [Step(_BPE, string(component["suffix"]))],
    "ByteFallback": lambda _: [Step(_BYTE_FALLBACK)],
    "ByteLevel": lambda _: [Step(_BYTE_LEVEL)],
    "Fuse": lambda _: [Step(_FUSE)],
    "Metaspace": _metaspace,
    "Replace": _replace,
    "Strip": _strip,
    "WordPiece": _wordpiece,
}
"""Steps of each decoder of tokenizer.json."""
