"""Tokenizer bytes of kind "wordpiece" (LNWORDPC), built independently of the exporter's writer.

The layout is documented in runtime_bindings/runtime/text/tokenizer/blob.h.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate

PAD, UNK, CLS, SEP, MASK = range(5)

_SPECIAL_TOKENS = (PAD, UNK, CLS, SEP, MASK)
_CLEAN, _CHINESE, _LOWERCASE, _STRIP_ACCENTS = 1, 2, 4, 8
_SPECIAL, _MATCH_UNNORMALIZED = 1, 32
_MAX_WORD_CHARS = 100
_TEXT, _PAIR, _TOKEN = range(3)  # kinds of a template's entries: (kind, type id, token id)


def wordpiece_bytes(pieces: Sequence[str], *, prefix: str = "##", lowercase: bool = True) -> bytes:
    """Return the bytes of a BERT tokenizer whose first five tokens are [PAD], [UNK], [CLS], [SEP], [MASK]."""
    encoded = [piece.encode() for piece in pieces]
    offsets = list(accumulate((len(piece) for piece in encoded), initial=0))
    flags = _CLEAN | _CHINESE | (_LOWERCASE | _STRIP_ACCENTS if lowercase else 0)
    added = [_u32(token, _SPECIAL | _MATCH_UNNORMALIZED) + _text(pieces[token]) for token in _SPECIAL_TOKENS]
    single = [(_TOKEN, 0, CLS), (_TEXT, 0, 0), (_TOKEN, 0, SEP)]
    pair = [*single, (_PAIR, 1, 0), (_TOKEN, 1, SEP)]
    return b"".join(
        [
            b"LNWORDPC",
            _u32(1, flags, _MAX_WORD_CHARS, UNK),
            _text(prefix),
            _u32(len(pieces), *offsets, offsets[-1]),
            *encoded,
            _u32(len(added)),
            *added,
            *(_u32(len(template)) + b"".join(_u32(*entry) for entry in template) for template in (single, pair)),
        ]
    )


def _u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _text(text: str) -> bytes:
    data = text.encode()
    return _u32(len(data)) + data
