"""Writer of the tables of a tokenizer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import tokenizers

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.tables.decoders import DECODERS
from linnet_export.tokenizer.tables.layout import MAX_IDS, array, bits, block, hash_texts, numbers, slots, string
from linnet_export.tokenizer.tables.models import MODELS, ModelSource
from linnet_export.tokenizer.tables.normalizers import NORMALIZERS
from linnet_export.tokenizer.tables.post_processors import post_processor
from linnet_export.tokenizer.tables.pre_tokenizers import PRE_TOKENIZERS, is_byte_level
from linnet_export.tokenizer.tables.steps import Json, pack_steps, steps_of

__all__ = ["tables_blob", "without_clean_up"]

MAGIC = b"LNTOKTAB"
VERSION = 1

_ADDED_FLAGS = ("special", "normalized", "lstrip", "rstrip", "single_word")


def tables_blob(tokenizer: tokenizers.Tokenizer, *, clean_up: bool = False) -> bytes:
    """Return the device's bytes for a tokenizer.

    Truncation and padding settings are ignored: the caller of the device tokenizer decides them.

    Args:
        tokenizer: any tokenizer.
        clean_up: decoded text loses the space before punctuation.

    Raises:
        UnsupportedTokenizerError: the core does not have a component, or not with its setting.
    """
    if tokenizer.encode_special_tokens:
        raise unsupported_part("encode_special_tokens is on", "special tokens found in the text")
    state: Json = json.loads(tokenizer.to_str())
    # not the saved form, which keeps only one of two tokens with the same id
    vocab = tokenizer.get_vocab(with_added_tokens=False)
    added: list[Json] = state["added_tokens"]
    tokens = _tokens_by_id(vocab, added)
    model_type = state["model"]["type"]
    if model_type not in MODELS:
        raise unsupported_part(f"model {model_type}", f"one of {', '.join(sorted(MODELS))}")
    byte_level = is_byte_level(state["pre_tokenizer"])
    source = ModelSource(state["model"], tokenizer.model, vocab, len(tokens), byte_level)
    blocks = (
        _vocabulary(tokens, vocab),
        _added_tokens(added, tokenizer.normalizer),
        pack_steps(steps_of(state["normalizer"], "normalizers", NORMALIZERS, "normalizer")),
        pack_steps(steps_of(state["pre_tokenizer"], "pretokenizers", PRE_TOKENIZERS, "pre_tokenizer")),
        MODELS[model_type](source),
        post_processor(state["post_processor"]),
        pack_steps(steps_of(state["decoder"], "decoders", DECODERS, "decoder")),
    )
    return MAGIC + numbers(VERSION, bits((clean_up,))) + b"".join(block(content) for content in blocks)


def without_clean_up(data: bytes) -> bytes:
    """Return tables that decode as the tokenizer alone does."""
    flags_at = len(MAGIC) + len(numbers(VERSION))
    return data[:flags_at] + numbers(0) + data[flags_at + len(numbers(0)) :]


def _tokens_by_id(vocab: Mapping[str, int], added: Sequence[Json]) -> list[str]:
    """Return the token of each id; empty where an id is unused."""
    token_of: dict[int, str] = {}
    for token, position in [*vocab.items(), *((item["content"], item["id"]) for item in added)]:
        other = token_of.setdefault(position, token)
        if other != token:
            raise unsupported_part(f"two tokens with id {position} ({other!r} and {token!r})", "one token for an id")
    if not token_of or "" in token_of.values():
        raise unsupported_part("an empty vocabulary, or an empty token", "tokens with text")
    size = max(token_of) + 1
    if size >= MAX_IDS:
        raise unsupported_part(f"token ids up to {size - 1}", f"ids below {MAX_IDS - 1}")
    return [token_of.get(position, "") for position in range(size)]


def _vocabulary(tokens: Sequence[str], vocab: Mapping[str, int]) -> bytes:
    encoded = [token.encode() for token in tokens]
    offsets = [0]
    for token in encoded:
        offsets.append(offsets[-1] + len(token))
    ids = sorted(vocab.values())
    hashes = hash_texts([encoded[token_id] for token_id in ids])
    return array(offsets) + block(b"".join(encoded)) + slots(ids, hashes)


def _added_tokens(added: Sequence[Json], normalizer: tokenizers.normalizers.Normalizer | None) -> bytes:
    """Return the added tokens; refuse those whose matches could be empty, overlap, or belong to either of two."""
    parts = [numbers(len(added))]
    seen: dict[tuple[bool, str], str] = {}
    for token in sorted(added, key=lambda item: int(item["id"])):
        content, normalized = token["content"], token["normalized"]
        pattern = normalizer.normalize_str(content) if normalized and normalizer is not None else content
        if not pattern:
            raise unsupported_part(f"added token {content!r}, empty when normalized", "tokens with text")
        strips = any(other["rstrip"] and other["normalized"] is normalized for other in added)
        if strips and pattern[0].isspace():
            raise unsupported_part(
                f"added token {content!r}, which begins with white space, beside one with rstrip",
                "added tokens whose matches cannot overlap",
            )
        # `tokenizers` finds either of them, by the order of a hash table
        if seen.setdefault((normalized, pattern), content) != content:
            raise unsupported_part(
                f"added tokens {seen[normalized, pattern]!r} and {content!r}, equal when normalized", "different ones"
            )
        parts.append(numbers(token["id"], bits(token[name] for name in _ADDED_FLAGS)) + string(pattern))
    return b"".join(parts)
