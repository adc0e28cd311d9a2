"""Entities that a tagger missed, and those that it invented, as a bounded table."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence

from linnet.cli.console import Console, shorten
from linnet_bench.accuracy.metrics import Entities, find_entities
from linnet_bench.tasks.token_classification import Tagged

__all__ = ["KINDS", "EntityError", "choose_errors", "find_errors", "print_errors"]

KINDS = ("missed", "other", "invented")
"""Kinds of errors; see :class:`EntityError`."""

_CONTEXT = 4  # words on either side
_WIDTH = 90


@dataclasses.dataclass(frozen=True)
class EntityError:
    """One entity that is wrong.

    Attributes:
        row: number of its row, from 1.
        kind: missed: nothing was found there; other: an entity of another type or of other words overlaps it;
            invented: found where none is labelled.
        name: type of the labelled entity, of the found one if none is labelled.
        text: its words.
        context: the words around it, and its own in brackets.
    """

    row: int
    kind: str
    name: str
    text: str
    context: str


def find_errors(tagged: Tagged) -> Iterator[EntityError]:
    """Yield every labelled entity that was not found as it is, and every found one that no labelled one overlaps."""
    for row, (words, expected, found) in enumerate(
        zip(tagged.sentences, tagged.expected, tagged.found, strict=True), 1
    ):
        labelled, guessed = find_entities(expected), find_entities(found)
        for entity in sorted(labelled - guessed, key=lambda each: each[1]):
            kind = "other" if _overlaps(entity, guessed) else "missed"
            yield EntityError(row, kind, *_shown(entity, words))
        for entity in sorted(guessed - labelled, key=lambda each: each[1]):
            if not _overlaps(entity, labelled):
                yield EntityError(row, "invented", *_shown(entity, words))


def _overlaps(entity: tuple[str, int, int], others: Entities) -> bool:
    return any(first <= entity[2] and last >= entity[1] for _, first, last in others)


def _shown(entity: tuple[str, int, int], words: Sequence[str]) -> tuple[str, str, str]:
    name, first, last = entity
    text = " ".join(words[first : last + 1])
    before, after = words[max(0, first - _CONTEXT) : first], words[last + 1 : last + 1 + _CONTEXT]
    return name, text, " ".join((*before, f"[{text}]", *after))


def choose_errors(tagged: Tagged, most: int) -> tuple[EntityError, ...]:
    """Return up to ``most`` errors of each kind, a fixed random choice, in the order of the rows."""
    errors = list(find_errors(tagged))
    chosen: list[EntityError] = []
    for kind in KINDS:
        of_kind = [error for error in errors if error.kind == kind]
        picked = random.Random(0).sample(of_kind, min(most, len(of_kind)))
        chosen += sorted(picked, key=lambda error: error.row)
    return tuple(chosen)


def print_errors(console: Console, errors: Sequence[EntityError]) -> None:
    """Print errors as a table, a line each; what is not printable is escaped by the console."""
    rows = [(error.kind, error.name, str(error.row), shorten(error.context, _WIDTH)) for error in errors]
    if rows:
        console.table(("error", "type", "row", "words"), rows, right=(2,))
