"""Texts that resemble the training texts, for a teacher to answer.

After the data augmentation of TinyBERT (<https://arxiv.org/abs/1909.10351>) and EDA
(<https://arxiv.org/abs/1901.11196>), without their word lists: words go, words of the corpus take their
place, two texts are joined. Whatever comes out, the student learns what the teacher thinks of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

__all__ = ["augment"]

_CHANGED = 0.2  # share of a text's words that go or are replaced


def augment(texts: Sequence[str], copies: int, seed: int) -> list[str]:
    """Return ``copies`` changed texts for each text, without those that occur already."""
    generator = random.Random(seed)
    words = [text.split() for text in texts]
    corpus = [word for text in words for word in text]
    known = set(texts)
    found: list[str] = []
    for text in words:
        for _ in range(copies):
            change = generator.choice(_CHANGES)
            made = " ".join(change(text, words, corpus, generator))
            if made and made not in known:
                known.add(made)
                found.append(made)
    return found


def _leave_out(text: list[str], _texts: Sequence[list[str]], _corpus: list[str], generator: random.Random) -> list[str]:
    return [word for word in text if generator.random() >= _CHANGED]


def _replace(text: list[str], _texts: Sequence[list[str]], corpus: list[str], generator: random.Random) -> list[str]:
    return [generator.choice(corpus) if generator.random() < _CHANGED else word for word in text]


def _join(text: list[str], texts: Sequence[list[str]], _corpus: list[str], generator: random.Random) -> list[str]:
    other = generator.choice(texts)
    return text[: generator.randint(1, max(1, len(text)))] + other[generator.randint(0, len(other) // 2) :]


_CHANGES: tuple[Callable[[list[str], Sequence[list[str]], list[str], random.Random], list[str]], ...] = (
    _leave_out,
    _replace,
    _join,
)
