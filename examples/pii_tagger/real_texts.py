"""Rows of WNUT 17, SNIPS and CLINC150 with the labels of the tagger.

- WNUT 17 (Derczynski et al. 2017, github.com/leondz/emerging_entities_17, CC BY 4.0): noisy text with labelled names.
- SNIPS (Coucke et al. 2018, github.com/sonos/nlu-benchmark, CC0 1.0): commands whose slots name towns and restaurants.
- CLINC150 (Larson et al., EMNLP 2019, github.com/clinc/oos-eval, CC BY 3.0): requests without any name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from examples.datasets.snips import Pieces, read_commands
from examples.pii_tagger.names import Names
from examples.pii_tagger.words import Part, entries, read_sections
from linnet_bench.accuracy.metrics import find_entities

__all__ = ["Row", "clinc_rows", "part_of", "snips_rows", "with_other_names", "wnut_rows"]

Row: TypeAlias = dict[str, list[str]]
"""`tokens` and their BIO `tags`."""

_WNUT: Final[Mapping[str, str]] = {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG"}
"""Labels of WNUT 17; products and creative works are no personal data."""

_SNIPS: Final[Mapping[str, str]] = {
    "city": "LOC", "state": "LOC", "country": "LOC", "geographic_poi": "LOC", "poi": "LOC", "restaurant_name": "ORG",
    "location_name": "ORG",
}  # fmt: skip
_SNIPS_UNLABELLED: Final = frozenset({"artist", "entity_name", "party_size_description", "playlist", "service"})
"""Slots that may or may not hold a name: commands with one are left out."""

_CLINC_DOMAINS: Final = frozenset({"travel", "meta"})
_CLINC_INTENTS: Final = frozenset(
    "weather timezone time make_call text directions distance traffic current_location share_location play_music "
    "what_song next_song update_playlist schedule_meeting meeting_schedule restaurant_reviews restaurant_reservation "
    "restaurant_suggestion confirm_reservation how_busy cancel_reservation accept_reservations routing transfer "
    "order uber find_phone calendar calendar_update reminder reminder_update who_made_you where_are_you_from "
    "mpg oil_change_how schedule_maintenance income payday taxes direct_deposit insurance "
    "new_card international_fees redeem_rewards recipe definition".split()
)
"""Domains and intents whose requests name persons, places or companies, which nobody labelled."""


def wnut_rows(path: Path) -> Iterator[Row]:
    """Yield the sentences of a CoNLL file.

    Raises:
        OSError: it cannot be read.
    """
    words: list[str] = []
    tags: list[str] = []
    for line in [*path.read_text(encoding="utf-8").split("\n"), ""]:
        word, _, tag = line.strip().partition("\t")
        if word and tag:
            words.append(word)
            tags.append(_tag(tag.strip()))
        elif words:
            yield {"tokens": words, "tags": tags}
            words, tags = [], []


def _tag(tag: str) -> str:
    prefix, _, name = tag.partition("-")
    return f"{prefix}-{_WNUT[name]}" if name in _WNUT else "O"


def with_other_names(rows: Iterable[Row], names: Names) -> Iterator[Row]:
    """Yield the rows that have names, with others of the same label in their place."""
    for row in rows:
        entities = sorted(find_entities(row["tags"]), key=lambda entity: entity[1])
        words: list[str] = []
        tags: list[str] = []
        at = 0
        for label, first, last in entities:
            new = re.findall(r"\w+|[^\w\s]", _like(row["tokens"][first], names.of_label(label)))
            words += [*row["tokens"][at:first], *new]
            tags += [*row["tags"][at:first], *(f"{'I' if place else 'B'}-{label}" for place in range(len(new)))]
            at = last + 1
        if entities:
            yield {"tokens": [*words, *row["tokens"][at:]], "tags": [*tags, *row["tags"][at:]]}


def _like(old: str, name: str) -> str:
    """Return the name in small letters where the old one was."""
    name = name.removeprefix("the ")
    return name.lower() if old.islower() else name


def snips_rows(folder: Path) -> Iterator[Row]:
    """Yield the commands whose names are all labelled.

    Raises:
        OSError, InvalidArgumentError: the folder has no such files.
    """
    for _, commands in read_commands(folder):
        for pieces in commands:
            row = _command(pieces)
            if row["tokens"]:
                yield row


def _command(pieces: Pieces) -> Row:
    words: list[str] = []
    tags: list[str] = []
    if any(piece.get("entity") in _SNIPS_UNLABELLED for piece in pieces):
        return {"tokens": [], "tags": []}
    for piece in pieces:
        found = re.findall(r"\w+|[^\w\s]", piece["text"])
        label = _SNIPS.get(piece.get("entity", ""))
        words += found
        tags += [f"{'I' if place else 'B'}-{label}" if label else "O" for place in range(len(found))]
    return {"tokens": words, "tags": tags}


def clinc_rows(path: Path, part: str) -> Iterator[Row]:
    """Yield requests that have no name.

    Args:
        path: `train_val.json` or `data_full.json`; `domains.json` is beside it.
        part: train or val.

    Raises:
        OSError: a file cannot be read.
    """
    domains = json.loads(path.with_name("domains.json").read_text(encoding="utf-8"))
    named = {intent for domain in _CLINC_DOMAINS for intent in domains.get(domain, ())} | _CLINC_INTENTS
    known = _known_names()
    for text, intent in json.loads(path.read_text(encoding="utf-8"))[part]:
        words = re.findall(r"\w+|[^\w\s]", text)
        if words and intent not in named and not known & _phrases(words):
            yield {"tokens": words, "tags": ["O"] * len(words)}


def _known_names() -> set[str]:
    given = tuple(name for name in read_sections("given.txt") if name != "words")
    lists = (
        entries("given.txt", given),
        entries("places.txt", ("city", "country", "region", "water and land")),
        entries("organizations.txt", ("known",)),
    )
    return {name.casefold().removeprefix("the ") for names in lists for name in names}


def _phrases(words: list[str]) -> set[str]:
    folded = [word.casefold() for word in words]
    return {" ".join(folded[at : at + length]) for length in (1, 2, 3) for at in range(len(folded) - length + 1)}


def part_of(row: Row) -> Part:
    """Return the part of a row, by a hash of its text."""
    return Part.of(" ".join(row["tokens"]))
