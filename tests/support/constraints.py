"""Constraints of generated texts without a model: tasks over small tokenizers, texts byte by byte, random walks."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from linnet_export.tokenizer import tables_blob
from linnet_runtime import _core
from tests.support.sdk_fakes import make_manifest

__all__ = [
    "END",
    "KINDS",
    "Walk",
    "byte_tokenizer",
    "fallback_tokenizer",
    "matches",
    "task_of",
    "unigram_tokenizer",
    "walk",
]

END = "<end>"
_WORDS = (
    "the",
    "then",
    "cat",
    "yes",
    "no",
    "true",
    "false",
    "null",
    "ab",
    "abc",
    "12",
    "00",
    '{"',
    '":',
    ", ",
    "é",
    "漢字",
)


def byte_tokenizer(*, special: bool = True) -> Tokenizer:
    """Return a byte-level BPE tokenizer with all bytes and some longer tokens, as GPT-2 and Llama 3 have it."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: number for number, token in enumerate([END, *alphabet])}
    written = [_byte_level(word) for word in _WORDS] + [_byte_level(" " + word) for word in _WORDS]
    merges: list[tuple[str, str]] = []
    for word in written:
        for size in range(2, len(word) + 1):
            if word[:size] not in vocab:
                vocab[word[:size]] = len(vocab)
                merges.append((word[: size - 1], word[size - 1]))
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if special:
        tokenizer.add_special_tokens([AddedToken(END, special=True, normalized=False)])
    return tokenizer


def fallback_tokenizer() -> Tokenizer:
    """Return a BPE tokenizer with spaces as ▁ and a token for each byte, as Llama 2 and Gemma have it."""
    pieces = [END, *(f"<0x{byte:02X}>" for byte in range(256)), *"▁abcdefghijklmnopqrstuvwxyz0123456789", '"', "{", "}"]
    pieces += ["▁" + word for word in _WORDS if word.isalpha()] + [word for word in _WORDS if word not in pieces]
    vocab = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocab, [], byte_fallback=True))
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    tokenizer.add_special_tokens([AddedToken(END, special=True, normalized=False)])
    return tokenizer


def unigram_tokenizer() -> Tokenizer:
    """Return a Unigram tokenizer without bytes: most characters cannot be written, é only in two longer tokens."""
    pieces = ["<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz0123456789", *'{}[]":,.-', "▁the", "caf", "é", "▁12"]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(number)) for number, piece in enumerate(pieces)], 0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken("<unk>", special=True), AddedToken(END, special=True, normalized=False)])
    return tokenizer


KINDS: dict[str, Callable[[], Tokenizer]] = {
    "bytes": byte_tokenizer,
    "plain end": functools.partial(byte_tokenizer, special=False),
    "fallback": fallback_tokenizer,
    "unigram": unigram_tokenizer,
}


@functools.cache
def task_of(kind: str) -> tuple[Any, Any, int]:
    """Return the core's task over a tokenizer of :data:`KINDS`, its tokenizer, and the id of the end token."""
    tokenizer = KINDS[kind]()
    data = tables_blob(tokenizer)
    end = tokenizer.get_vocab()[END]
    special = {f"{name}_id": -1 for name in ("pad", "unk", "cls", "sep", "mask")}
    fields = {"cache_layers": 1, "cache_row_bytes": 1, "chunk_length": 1, "logit_rows": 1, "end_ids": (str(end),)}
    manifest = make_manifest(
        "text-generation",
        **{"tokenizer_kind": "tables", "tokenizer": data, "vocab_size": tokenizer.get_vocab_size()},
        **{"model_type": "llama", "inputs": ("input_ids",), **special, **fields},
    )
    return _core.Task(manifest.to_raw()), _core.Tokenizer(data), end


def _byte_level(text: str) -> str:
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    return "".join(piece for piece, _ in pieces)


@functools.cache
def _ids_of_bytes() -> list[int]:
    """Return the id of each byte in :func:`byte_tokenizer`: of its character in the alphabet of byte-level BPE."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]  # as GPT-2's bytes_to_unicode has it
    hidden = [byte for byte in range(256) if byte not in visible]
    characters = {byte: chr(byte) for byte in visible} | {byte: chr(256 + n) for n, byte in enumerate(hidden)}
    vocab = byte_tokenizer().get_vocab()
    return [vocab[characters[byte]] for byte in range(256)]


def matches(constraint: Any, text: str) -> bool:
    """Return whether a constraint of ``task_of("bytes")`` takes a text, byte by byte, and may end behind it."""
    from linnet.errors import InvalidArgumentError

    state, ids = constraint.fork(), _ids_of_bytes()
    try:
        for byte in text.encode():
            state.advance(ids[byte])
    except InvalidArgumentError:
        return False
    return bool(state.complete)


class Walk:
    """Tokens that a random walk through a constraint took, and their text."""

    def __init__(self, ids: list[int], text: str) -> None:
        self.ids, self.text = ids, text


def walk(kind: str, constraint: Any, limit: int, source: random.Random) -> Walk:
    """Take random tokens, each of them allowed, until the end or the limit, at which the text must be complete."""
    _, tokenizer, end = task_of(kind)
    state, stream = constraint.fork(), tokenizer.stream(skip_special=True)
    ids, text = [], ""
    for left in range(limit, 0, -1):
        if state.finished:
            break
        allowed = state.allowed(tokenizer_size(kind), left)
        choices = [number for number, may in enumerate(allowed) if may]
        assert choices, f"a dead end behind {text!r}"
        token = source.choice(choices)
        state.advance(token)
        if token == end:
            break
        ids.append(token)
        text += stream.push(token)
    assert state.complete, f"incomplete: {text!r}"
    return Walk(ids, text + stream.finish())


@functools.cache
def tokenizer_size(kind: str) -> int:
    """Return the number of ids of a tokenizer."""
    size: int = KINDS[kind]().get_vocab_size()
    return size
