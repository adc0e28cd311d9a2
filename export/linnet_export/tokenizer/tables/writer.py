"""Writer of the tables of a tokenizer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import tokenizers

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import bits, block, numbers, string
from linnet_export.tokenizer.parts import ADDED_FLAGS, Json, searched_texts, tokens_by_id
from linnet_export.tokenizer.tables.decoders import DECODERS
from linnet_export.tokenizer.tables.layout import MAX_IDS, array, hash_texts, slots
from linnet_export.tokenizer.tables.models import MODELS, ModelSource
from linnet_export.tokenizer.tables.normalizers import NORMALIZERS
from linnet_export.tokenizer.tables.post_processors import post_processor
from linnet_export.tokenizer.tables.pre_tokenizers import PRE_TOKENIZERS, is_byte_level
from linnet_export.tokenizer.tables.steps import pack_steps, steps_of

__all__ = ["tables_blob", "without_clean_up"]

MAGIC = b"LNTOKTAB"
VERSION = 1


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
    tokens = tokens_by_id(vocab, added, MAX_IDS - 1)
    if not tokens or "" in vocab or any(not item["content"] for item in added):
        raise unsupported_part("an empty vocabulary, or an empty token", "tokens with text")
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


def _vocabulary(tokens: Sequence[str], vocab: Mapping[str, int]) -> bytes:
    encoded = [token.encode() for token in tokens]
    offsets = [0]
    for token in encoded:
        offsets.append(offsets[-1] + len(token))
    ids = sorted(vocab.values())
    hashes = hash_texts([encoded[token_id] for token_id in ids])
    return array(offsets) + block(b"".join(encoded)) + slots(ids, hashes)


def _added_tokens(added: Sequence[Json], normalizer: tokenizers.normalizers.Normalizer | None) -> bytes:
    ordered = sorted(added, key=lambda item: int(item["id"]))
    parts = [numbers(len(ordered))]
    for token, text in zip(ordered, searched_texts(ordered, normalizer), strict=True):
        parts.append(numbers(token["id"], bits(token[name] for name in ADDED_FLAGS)) + string(text))
    return b"".join(parts)
