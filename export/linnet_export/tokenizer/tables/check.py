"""Comparison of the tables of a tokenizer with the tokenizer itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tokenizers

import linnet_runtime
from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.probes import PROBE_TEXTS
from linnet_export.tokenizer.tables.writer import without_clean_up

__all__ = ["check_tables"]

_SHAPES = ("{}", "a {}", "a{}b", "{} {}", " {} \n")
_MOST_TOKENS = 200  # added tokens that are tried, and tokens of the vocabulary


def check_tables(tokenizer: tokenizers.Tokenizer, data: bytes) -> None:
    """Make sure that the core reads the tables and does with them what the tokenizer does.

    Raises:
        UnsupportedTokenizerError: a text gets other tokens, places or decoded text; the message has it.
    """
    device = linnet_runtime.Tokenizer(without_clean_up(data))  # `tokenizers` itself cleans nothing up
    truncation, padding = tokenizer.truncation, tokenizer.padding
    tokenizer.no_truncation()
    tokenizer.no_padding()
    try:
        for text, pair in _texts(tokenizer):
            (window,) = device.encode(text, pair)
            encoding = tokenizer.encode(text, pair)
            if _rows(window) != _expected(encoding) or _decoded_otherwise(tokenizer, device, encoding.ids):
                raise unsupported_part(
                    f"other tokens for {ascii(text)[:120]} than its tables", "tokenizers that the core runs exactly"
                )
    finally:
        if truncation is not None:
            tokenizer.enable_truncation(**truncation)
        if padding is not None:
            tokenizer.enable_padding(**padding)


def _texts(tokenizer: tokenizers.Tokenizer) -> Iterator[tuple[str, str | None]]:
    for text in PROBE_TEXTS:
        yield text, None
    yield PROBE_TEXTS[0], PROBE_TEXTS[1]
    yield "", ""
    added = list(tokenizer.get_added_tokens_decoder().values())
    for token in added[:: max(1, len(added) // _MOST_TOKENS)]:
        for shape in _SHAPES:
            yield shape.replace("{}", token.content), None
    vocab = sorted(tokenizer.get_vocab(with_added_tokens=False))
    for piece in vocab[:: max(1, len(vocab) // _MOST_TOKENS)]:
        yield f"{piece} a{piece}", None


def _rows(window: Any) -> tuple[object, ...]:
    offsets = [tuple(pair) for pair in window.offsets.tolist()]
    words = [] if window.words is None else window.words.tolist()
    return window.ids.tolist(), window.type_ids.tolist(), window.sequence_ids.tolist(), offsets, words


def _expected(encoding: tokenizers.Encoding) -> tuple[object, ...]:
    sequences, words = (
        [-1 if value is None else value for value in values] for values in (encoding.sequence_ids, encoding.word_ids)
    )
    return encoding.ids, encoding.type_ids, sequences, encoding.offsets, words


def _decoded_otherwise(tokenizer: tokenizers.Tokenizer, device: Any, ids: list[int]) -> bool:
    return any(
        device.decode(ids, skip_special=skip) != tokenizer.decode(ids, skip_special_tokens=skip)
        for skip in (False, True)
    )
