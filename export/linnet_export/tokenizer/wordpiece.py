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
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

import tokenizers

from linnet_export.tokenizer.errors import unsupported_part

__all__ = ["wordpiece_blob"]

MAGIC = b"LNWORDPC"
VERSION = 1

_NORMALIZER_FLAGS = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
_ADDED_FLAGS = ("special", "normalized", "lstrip", "rstrip", "single_word")
_IN_VOCABULARY = 1 << len(_ADDED_FLAGS)
_TEXT_KINDS = {"A": 0, "B": 1}
_SPECIAL_TOKEN = 2
# Far above any vocabulary in use; keeps a stray id from asking for gigabytes.
_MAX_IDS = 1 << 24

Json: TypeAlias = dict[str, Any]


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
    tokens = _tokens_by_id(vocab, added)
    _check_added_tokens(added, tokenizer.normalizer)
    return b"".join(
        [
            MAGIC,
            _numbers(
                VERSION,
                _normalizer_flags(state),
                model["max_input_chars_per_word"],
                _unknown_id(model["unk_token"], vocab),
            ),
            _string(model["continuing_subword_prefix"]),
            _pool(tokens),
            _numbers(len(added)),
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


def _numbers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _string(text: str) -> bytes:
    data = text.encode()
    return _numbers(len(data)) + data


def _normalizer_flags(state: Json) -> int:
    normalizer = _component(state, "normalizer", "BertNormalizer")
    settings = {name: normalizer[name] for name in _NORMALIZER_FLAGS}
    if settings["strip_accents"] is None:  # `tokenizers`: accents go with the capitals
        settings["strip_accents"] = settings["lowercase"]
    return _bits(settings[name] for name in _NORMALIZER_FLAGS)


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << position for position, flag in enumerate(flags) if flag)


def _unknown_id(token: str, vocab: Mapping[str, int]) -> int:
    if token not in vocab:
        raise unsupported_part(f"unk_token {token!r} outside the WordPiece vocabulary", "one that is in it")
    return vocab[token]


def _tokens_by_id(vocab: Mapping[str, int], added: Sequence[Json]) -> list[str]:
    """Return the token of each id; empty where an id is unused."""
    token_of: dict[int, str] = {}
    for token, position in [*vocab.items(), *((item["content"], item["id"]) for item in added)]:
        other = token_of.setdefault(position, token)
        if other != token:
            raise unsupported_part(f"two tokens with id {position} ({other!r} and {token!r})", "one token for an id")
    size = max(token_of) + 1
    if size > _MAX_IDS:
        raise unsupported_part(f"token ids up to {size - 1}", f"ids below {_MAX_IDS}")
    return [token_of.get(position, "") for position in range(size)]


def _pool(tokens: Sequence[str]) -> bytes:
    encoded = [token.encode() for token in tokens]
    offsets = [0]
    for token in encoded:
        offsets.append(offsets[-1] + len(token))
    return _numbers(len(tokens), *offsets, offsets[-1]) + b"".join(encoded)


def _check_added_tokens(added: Sequence[Json], normalizer: tokenizers.normalizers.Normalizer) -> None:
    """Refuse added tokens whose matches could be empty, overlap, or belong to either of two tokens."""
    for normalized in (False, True):
        group = [token for token in added if token["normalized"] is normalized]
        strips = any(token["rstrip"] for token in group)
        seen: dict[str, str] = {}
        for token in group:
            content = token["content"]
            text = normalizer.normalize_str(content) if normalized else content
            if not text:
                raise unsupported_part(f"added token {content!r}, empty when normalized", "tokens with text")
            if strips and text[0].isspace():
                raise unsupported_part(
                    f"added token {content!r}, which begins with white space, beside one with rstrip",
                    "added tokens whose matches cannot overlap",
                )
            # `tokenizers` finds either of them, by the order of a hash table
            if seen.setdefault(text, content) != content:
                raise unsupported_part(
                    f"added tokens {seen[text]!r} and {content!r}, equal when normalized", "different ones"
                )


def _added_token(token: Json, vocab: Mapping[str, int]) -> bytes:
    flags = _bits(token[name] for name in _ADDED_FLAGS)
    if token["content"] in vocab:
        flags |= _IN_VOCABULARY
    return _numbers(token["id"], flags) + _string(token["content"])


# -- templates ---------------------------------------------------------------------------------------

Piece: TypeAlias = tuple[int, int, int]


def _templates(state: Json) -> Iterator[tuple[list[Piece], str]]:
    """Yield the pieces (kind, type id, token id) of both templates with the texts each must hold."""
    processor = state["post_processor"]
    kind = None if processor is None else processor.get("type", "without a type")
    if kind is None:
        yield [(0, 0, 0)], "A"
        yield [(0, 0, 0), (1, 1, 0)], "AB"
    elif kind == "BertProcessing":
        cls, sep = processor["cls"][1], processor["sep"][1]
        single = [(_SPECIAL_TOKEN, 0, cls), (0, 0, 0), (_SPECIAL_TOKEN, 0, sep)]
        yield single, "A"
        yield [*single, (1, 1, 0), (_SPECIAL_TOKEN, 1, sep)], "AB"
    elif kind == "TemplateProcessing":
        yield list(_template_pieces(processor["single"], processor["special_tokens"])), "A"
        yield list(_template_pieces(processor["pair"], processor["special_tokens"])), "AB"
    else:
        raise unsupported_part(f"post_processor {kind}", "TemplateProcessing and BertProcessing")


def _template_pieces(template: Iterable[Json], special_tokens: Mapping[str, Json]) -> Iterator[Piece]:
    for piece in template:
        if "Sequence" in piece:
            text = piece["Sequence"]
            yield _TEXT_KINDS[text["id"]], text["type_id"], 0
            continue
        special = piece["SpecialToken"]
        for token_id in special_tokens[special["id"]]["ids"]:
            yield _SPECIAL_TOKEN, special["type_id"], token_id


def _template(pieces: Sequence[Piece], texts: str, tokens: Sequence[str]) -> bytes:
    kinds = Counter(kind for kind, _, _ in pieces)
    for text, kind in _TEXT_KINDS.items():
        if kinds[kind] != texts.count(text):
            raise unsupported_part(
                f"a template that holds text {text} {kinds[kind]} times", "templates with each text once"
            )
    for kind, _, token_id in pieces:
        if kind == _SPECIAL_TOKEN and (token_id >= len(tokens) or not tokens[token_id]):
            raise unsupported_part(f"a template with the unused id {token_id}", "special tokens of the vocabulary")
    return _numbers(len(pieces)) + b"".join(_numbers(*piece) for piece in pieces)
