"""Passages for pre-training: sentences of a document, packed up to the maximum length."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["Passage", "pack", "pair_sentences"]


@dataclasses.dataclass(frozen=True)
class Passage:
    """Consecutive sentences of one document.

    Attributes:
        sentences: in their order.
        document: its number.
    """

    sentences: tuple[str, ...]
    document: int

    @property
    def text(self) -> str:
        """The sentences, joined by spaces."""
        return " ".join(self.sentences)


def pack(documents: Sequence[Sequence[str]], tokenizer: Any, bound: int) -> list[Passage]:
    """Pack consecutive sentences of each document into passages of at most ``bound`` tokens.

    Args:
        documents: sentences of each.
        tokenizer: a fast tokenizer.
        bound: tokens of a passage without special tokens. A longer sentence is split.
    """
    flat = [sentence for sentences in documents for sentence in sentences]
    spans = tokenizer(flat, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"] if flat else []
    offsets = iter(spans)
    passages: list[Passage] = []
    for number, sentences in enumerate(documents):
        pieces = [piece for sentence in sentences for piece in _cut(sentence, next(offsets), bound)]
        passages += [Passage(tuple(texts), number) for texts in _fill(pieces, bound)]
    return passages


def _cut(sentence: str, offsets: Sequence[tuple[int, int]], bound: int) -> list[tuple[str, int]]:
    """Return the parts of a sentence, each with its number of tokens."""
    parts = [offsets[start : start + bound] for start in range(0, len(offsets), bound)]
    return [(sentence[part[0][0] : part[-1][1]], len(part)) for part in parts]


def _fill(pieces: Iterable[tuple[str, int]], bound: int) -> list[list[str]]:
    filled: list[list[str]] = []
    room = 0
    for text, tokens in pieces:
        if not filled or tokens > room:
            filled.append([])
            room = bound
        filled[-1].append(text)
        room -= tokens
    return filled


def pair_sentences(passages: Sequence[Passage], seed: int) -> list[tuple[str, str, int]]:
    """Return (first part, second part, label) of each passage; label 0: the second part follows, 1: it is replaced.

    Half of the second parts are replaced by a part of another document (BERT, appendix A.2; the numbers are those of
    transformers' `next_sentence_label`). Passages of one sentence are left out.

    Args:
        passages: of two documents or more.
        seed: of what is replaced.
    """
    generator = random.Random(seed)
    usable = [passage for passage in passages if len(passage.sentences) > 1]
    pairs = []
    for passage in usable:
        middle = generator.randint(1, len(passage.sentences) - 1)
        first, second = passage.sentences[:middle], passage.sentences[middle:]
        replaced = generator.random() < 0.5
        if replaced:
            other = _of_another_document(usable, passage.document, generator)
            second = other.sentences[generator.randint(1, len(other.sentences) - 1) :]
        pairs.append((" ".join(first), " ".join(second), int(replaced)))
    return pairs


def _of_another_document(passages: Sequence[Passage], document: int, generator: random.Random) -> Passage:
    while True:
        other = generator.choice(passages)
        if other.document != document:
            return other
