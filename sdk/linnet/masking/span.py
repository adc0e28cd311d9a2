"""Places of personal data in a text, and a masked text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Literal, TypeAlias

__all__ = ["SOURCES", "Given", "Masked", "Source", "Span", "spans_of"]

Source: TypeAlias = Literal["pattern", "finder", "tagger"]
SOURCES: tuple[Source, ...] = ("pattern", "finder", "tagger")
"""Who found a place: a pattern of the table, another program that checks what it finds, a token-classification
program. They stand in the order in which they win where places overlap; their indices are those of ``linnet.h``."""

Given: TypeAlias = tuple[str, int, int, float, int]
"""Type, start, end, score and index of the source, as the core takes and gives a place."""


@dataclasses.dataclass(frozen=True)
class Span:
    """A place of personal data, without what stands there.

    Attributes:
        start: first character, in code points: ``text[start:end]`` is what was found.
        end: one past the last character.
        type: "EMAIL", "PERSON" and so on.
        score: certainty from 0 to 1; 1 for patterns.
        source: one of :data:`SOURCES`.
    """

    start: int
    end: int
    type: str
    score: float
    source: Source


@dataclasses.dataclass(frozen=True)
class Masked:
    """A masked text.

    Attributes:
        text: the text, without what was found.
        spans: what was found, with its places in the text that was given.
    """

    text: str
    spans: tuple[Span, ...]


def spans_of(found: Iterable[Given]) -> list[Span]:
    """Return the places that the core found."""
    return [Span(start, end, type_, score, SOURCES[source]) for type_, start, end, score, source in found]
