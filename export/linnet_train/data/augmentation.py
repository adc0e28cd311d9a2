"""Text augmentation for distillation: word deletion, word replacement and mixing of texts.

Follows TinyBERT (<https://arxiv.org/abs/1909.10351>) and EDA (<https://arxiv.org/abs/1901.11196>) without their word
lists: words are deleted or replaced by words of the corpus, and two texts are joined. The labels are the teacher's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

__all__ = ["augment"]

_CHANGED = 0.2  # share of words that are deleted or replaced


def augment(texts: Sequence[str], copies: int, seed: int) -> list[str]:
    """Return up to ``copies`` changed versions of each text; duplicates and original texts are left out."""
    generator = random.Random(seed)
    words = [text.split() for text in texts]
    corpus = [word for text in words for word in text]
    known = set(texts)
    augmented: list[str] = []
    for text in words:
        for _ in range(copies):
            change = generator.choice(_CHANGES)
            made = " ".join(change(text, words, corpus, generator))
            if made and made not in known:
                known.add(made)
                augmented.append(made)
    return augmented


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
