"""Requests of mixed lengths, and fingerprints to compare answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from linnet.model import Model
from linnet_bench.measure.probe import clip_lengths
from linnet_bench.measure.sample import Example, example_for, long_text

__all__ = ["fingerprint", "make_requests", "random_order"]

_TEXTS_EACH = 4  # texts of each length, with different words and so different answers


def make_requests(model: Model, lengths: Sequence[int]) -> list[Example]:
    """Return calls for the file's task, four of each length, none over the file's limit.

    Args:
        model: the opened file.
        lengths: tokens of a call, special tokens included; a text has at most that many.
    """
    words = long_text(max(lengths) + _TEXTS_EACH).split()
    return [
        _longest_within(model, words[start:], length)
        for length in clip_lengths(lengths, model.manifest.max_length)
        for start in range(_TEXTS_EACH)
    ]


def _longest_within(model: Model, words: Sequence[str], tokens: int) -> Example:
    """Return the call with the most of these words that has at most ``tokens`` tokens; at least one word."""
    low, high = 1, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(model, words[:middle], tokens) else (low, middle - 1)
    return example_for(model, " ".join(words[:low]))


def _fits(model: Model, words: Sequence[str], tokens: int) -> bool:
    example = example_for(model, " ".join(words))
    encoding = model.tokenize(example.text, example.pair)
    return not encoding.truncated and len(encoding) <= tokens


def random_order(requests: int, length: int = 4096) -> npt.NDArray[np.int64]:
    """Return positions of requests in a seeded random order, int64 [length]."""
    return np.random.default_rng(0).integers(0, requests, size=length)


def fingerprint(answer: Any) -> int:
    """Return a hash of an answer's exact content: an array, or data that JSON can represent."""
    if isinstance(answer, np.ndarray):
        return hash((answer.shape, answer.tobytes()))
    return hash(json.dumps(answer, default=np.ndarray.tolist))
