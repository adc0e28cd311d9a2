"""Models of the tables, in the order of kModels in the core's steps.cpp."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import bits, block, numbers, string
from linnet_export.tokenizer.parts import Json
from linnet_export.tokenizer.tables.layout import NONE, array, hash_pairs, slots
from linnet_export.tokenizer.tables.trie import double_array

__all__ = ["MODELS", "ModelSource"]

_BPE, _WORD_LEVEL, _UNIGRAM = range(3)

_UNKNOWN_PENALTY = 10.0
"""By how much a character that no token is scores less than the token with the least score (`K_UNK_PENALTY`)."""


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """What a model is made of.

    Attributes:
        state: the model in tokenizer.json.
        model: the model itself, of the ``tokenizers`` package.
        vocab: its ids by token.
        size: number of ids, added tokens included.
        byte_level: the pre-tokenizer turns bytes into characters.
    """

    state: Json
    model: Any
    vocab: Mapping[str, int]
    size: int
    byte_level: bool


def byte_characters() -> list[str]:
    """Return the character of each byte in byte-level tokenizers."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def _bpe(source: ModelSource) -> bytes:
    state, vocab = source.state, source.vocab
    if state["dropout"]:
        raise unsupported_part(f"BPE with dropout {state['dropout']}", "no dropout")
    unknown = state["unk_token"]
    if unknown is not None and unknown not in vocab:
        raise unsupported_part(f"unk_token {unknown!r} outside of the vocabulary", "one that is in it")
    flags = bits((source.byte_level, state["ignore_merges"], state["byte_fallback"], state["fuse_unk"]))
    byte_tokens = byte_characters() if source.byte_level else [f"<0x{byte:02X}>" for byte in range(256)]
    if source.byte_level and state["byte_fallback"]:
        raise unsupported_part("byte_fallback beside byte-level characters", "one of the two")
    return b"".join(
        [
            numbers(_BPE),
            block(
                b"".join(
                    [
                        numbers(flags, NONE if unknown is None else vocab[unknown]),
                        string(state["continuing_subword_prefix"] or ""),
                        string(state["end_of_word_suffix"] or ""),
                        numbers(max((len(token.encode()) for token in vocab), default=0)),
                        numbers(*(vocab.get(token, NONE) for token in byte_tokens)),
                        block(_whole_tokens(source)),
                        _merges(source),
                    ]
                )
            ),
        ]
    )


def _whole_tokens(source: ModelSource) -> bytes:
    """Return a bit for each id: the token comes out whole when it is a word."""
    whole = np.zeros(source.size + -source.size % 8, dtype=np.uint8)
    for token, token_id in source.vocab.items():
        pieces = source.model.tokenize(token)
        whole[token_id] = len(pieces) == 1 and pieces[0].id == token_id
    return np.packbits(whole, bitorder="little").tobytes()


def _merges(source: ModelSource) -> bytes:
    """Return the merges in the order of their ranks, and their slots."""
    prefix = len(source.state["continuing_subword_prefix"] or "")
    merges: dict[tuple[int, int], int] = {}
    for pair in source.state["merges"]:
        left, right = pair if isinstance(pair, list) else pair.split(" ")
        key = source.vocab[left], source.vocab[right]
        merges.pop(key, None)  # `tokenizers` keeps the last of two equal pairs
        merges[key] = source.vocab[left + right[prefix:]]
    rows = np.array([(*pair, merged) for pair, merged in merges.items()], dtype=np.int64).reshape(-1, 3)
    return array(rows.reshape(-1)) + slots(np.arange(len(rows)), hash_pairs(rows[:, 0], rows[:, 1]))


def _word_level(source: ModelSource) -> bytes:
    unknown = source.state["unk_token"]
    if unknown not in source.vocab or source.byte_level:
        raise unsupported_part(f"WordLevel with unk_token {unknown!r}, or byte-level", "one of its vocabulary")
    return numbers(_WORD_LEVEL) + block(numbers(source.vocab[unknown]))


def _unigram(source: ModelSource) -> bytes:
    state = source.state
    pieces: list[tuple[str, float]] = state["vocab"]
    if state.get("alpha") or state.get("nbest_size"):
        raise unsupported_part("Unigram that samples", "the best way alone")
    if source.byte_level:
        raise unsupported_part("Unigram beside byte-level characters", "one of the two")
    if state["unk_id"] is None:
        raise unsupported_part("Unigram without an unknown token", "one with it")
    if len(source.vocab) < len(pieces):
        raise unsupported_part("a Unigram vocabulary with one token twice", "each token once")
    scores = np.zeros(source.size, dtype="<f8")
    scores[: len(pieces)] = [score for _, score in pieces]
    if not np.isfinite(scores).all():
        raise unsupported_part("scores that are no finite numbers", "finite scores")
    unknown = np.array([scores[: len(pieces)].min() - _UNKNOWN_PENALTY], dtype="<f8")
    byte_tokens = [f"<0x{byte:02X}>" if state["byte_fallback"] else "" for byte in range(256)]
    units = double_array([token.encode() for token, _ in pieces])
    return b"".join(
        [
            numbers(_UNIGRAM),
            block(
                b"".join(
                    [
                        numbers(bits((state["byte_fallback"],)), state["unk_id"]),
                        unknown.tobytes(),
                        numbers(*(source.vocab.get(token, NONE) for token in byte_tokens)),
                        array(scores.view("<u4")),
                        array(units.reshape(-1)),
                    ]
                )
            ),
        ]
    )


MODELS: Mapping[str, Callable[[ModelSource], bytes]] = {"BPE": _bpe, "Unigram": _unigram, "WordLevel": _word_level}
"""Content of the model's block by its type in tokenizer.json."""
