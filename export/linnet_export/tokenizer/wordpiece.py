"""Serialization of a WordPiece tokenizer for the compiled core (kind ``wordpiece``).

Layout, version 1; numbers are little-endian uint32, a string is its length in bytes and its UTF-8::

    magic "LNWORDPC", version
    normalizer flags, max_input_chars_per_word, id of the unknown token, continuation prefix (string)
    ids N, N + 1 offsets into the pool, pool size, pool      token i is pool[offsets[i]:offsets[i + 1]]
    added tokens: id, flags, content (string) each
    template of one text, template of two texts: kind, type id, token id of each piece

``runtime_bindings/runtime/text/tokenizer/blob.h`` is the reader. What these bytes cannot say exactly is refused
by name, never approximated; the kind ``tokenizers`` then carries it (tokenizer_json.py).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import tokenizers

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import bits, numbers, string
from linnet_export.tokenizer.parts import (
    ADDED_FLAGS,
    FIRST,
    SECOND,
    SPECIAL,
    Json,
    Piece,
    bert_pieces,
    searched_texts,
    template_pieces,
    tokens_by_id,
)

__all__ = ["wordpiece_blob"]

MAGIC = b"LNWORDPC"
VERSION = 1

_NORMALIZER_FLAGS = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
_IN_VOCABULARY = 1 << len(ADDED_FLAGS)
# Far above any vocabulary in use; keeps a stray id from asking for gigabytes.
_MAX_IDS = 1 << 24


def wordpiece_blob(tokenizer: tokenizers.Tokenizer) -> bytes:
    """Return the device's bytes for a WordPiece tokenizer.

    Truncation and padding settings are ignored: the caller of the device tokenizer decides them.

    Raises:
        UnsupportedTokenizerError: a component is not the one the device has (BertNormalizer,
            BertPreTokenizer, WordPiece, TemplateProcessing or BertProcessing), or a setting of it cannot
            be expressed.
    """
    if tokenizer.encode_special_tokens:
        raise unsupported_part("encode_special_tokens is on", "special tokens found in the text")
    state: Json = json.loads(tokenizer.to_str())
    model = _component(state, "model", "WordPiece")
    _component(state, "pre_tokenizer", "BertPreTokenizer")
    added: list[Json] = state["added_tokens"]
    # not the saved form, which keeps only one of two tokens with the same id
    vocab = tokenizer.get_vocab(with_added_tokens=False)
    tokens = tokens_by_id(vocab, added, _MAX_IDS)
    searched_texts(added, tokenizer.normalizer)  # for its refusals: the core normalizes them itself
    return b"".join(
        [
            MAGIC,
            numbers(
                VERSION,
                _normalizer_flags(state),
                model["max_input_chars_per_word"],
                _unknown_id(model["unk_token"], vocab),
            ),
            string(model["continuing_subword_prefix"]),
            _pool(tokens),
            numbers(len(added)),
            *(_added_token(token, vocab) for token in added),
            *(_template(pieces, texts, tokens) for pieces, texts in _templates(state)),
        ]
    )


def _component(state: Json, name: str, needed: str) -> Json:
    component = state[name]
    found = "none" if component is None else component.get("type", "without a type")
    if found != needed:
        raise unsupported_part(f"{name} {found}", needed)
    return cast(Json, component)


# -- parts of the bytes ------------------------------------------------------------------------------


def _normalizer_flags(state: Json) -> int:
    normalizer = _component(state, "normalizer", "BertNormalizer")
    settings = {name: normalizer[name] for name in _NORMALIZER_FLAGS}
    if settings["strip_accents"] is None:  # `tokenizers`: accents go with the capitals
        settings["strip_accents"] = settings["lowercase"]
    return bits(settings[name] for name in _NORMALIZER_FLAGS)


def _unknown_id(token: str, vocab: Mapping[str, int]) -> int:
    if token not in vocab:
        raise unsupported_part(f"unk_token {token!r} outside the WordPiece vocabulary", "one that is in it")
    return vocab[token]


def _pool(tokens: Sequence[str]) -> bytes:
    encoded = [token.encode() for token in tokens]
    offsets = [0]
    for token in encoded:
        offsets.append(offsets[-1] + len(token))
    return numbers(len(tokens), *offsets, offsets[-1]) + b"".join(encoded)


def _added_token(token: Json, vocab: Mapping[str, int]) -> bytes:
    flags = bits(token[name] for name in ADDED_FLAGS)
    if token["content"] in vocab:
        flags |= _IN_VOCABULARY
    return numbers(token["id"], flags) + string(token["content"])


# -- templates ---------------------------------------------------------------------------------------


def _templates(state: Json) -> Iterator[tuple[list[Piece], str]]:
    """Yield the pieces (kind, type id, token id) of both templates with the texts each must hold."""
    processor = state["post_processor"]
    kind = None if processor is None else processor.get("type", "without a type")
    if kind is None:
        yield [(FIRST, 0, 0)], "A"
        yield [(FIRST, 0, 0), (SECOND, 1, 0)], "AB"
    elif kind == "BertProcessing":
        single, pair = bert_pieces(processor)
        yield single, "A"
        yield pair, "AB"
    elif kind == "TemplateProcessing":
        yield list(template_pieces(processor["single"], processor["special_tokens"])), "A"
        yield list(template_pieces(processor["pair"], processor["special_tokens"])), "AB"
    else:
        raise unsupported_part(f"post_processor {kind}", "TemplateProcessing and BertProcessing")


def _template(pieces: Sequence[Piece], texts: str, tokens: Sequence[str]) -> bytes:
    kinds = Counter(kind for kind, _, _ in pieces)
    for text, kind in (("A", FIRST), ("B", SECOND)):
        if kinds[kind] != texts.count(text):
            raise unsupported_part(
                f"a template that holds text {text} {kinds[kind]} times", "templates with each text once"
            )
    for kind, _, token_id in pieces:
        if kind == SPECIAL and (token_id >= len(tokens) or not tokens[token_id]):
            raise unsupported_part(f"a template with the unused id {token_id}", "special tokens of the vocabulary")
    return numbers(len(pieces)) + b"".join(numbers(*piece) for piece in pieces)
