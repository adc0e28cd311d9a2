"""Rows of token-classification: words and their tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from linnet_bench.accuracy.datasets import Columns, Row
from linnet_bench.accuracy.problems import Place, Problem
from linnet_train.data.config import DataConfig
from linnet_train.data.rows import Example, Examples, Grouping, is_text, label_name, read_grouped, shown
from linnet_train.tasks.description import TaskDescription

__all__ = ["DESCRIPTION"]

_COLUMNS = Columns("tokens", None, "tags")  # rows often have a text or an intent beside them


def read(config: DataConfig, seed: int) -> Examples:
    """Read, check and split rows; CoNLL files, or rows with a list of words and a list of tags."""
    grouping = Grouping(key=lambda row: row.text, fewest=2, too_few="one text, expected another to hold out")

    def check(rows: Sequence[Example], held_out: Sequence[Example]) -> list[Problem]:
        labels = _tags(rows)
        if not rows:
            return []
        same = f"every word has the tag {labels[0]!r}, expected at least two tags"
        alike = [Problem(Place(str(config.train)), same)] if len(labels) < 2 else []
        return [*alike, *_unseen(held_out, labels)]

    return read_grouped(config, seed, _read_row, grouping, check, _tags, usual=_COLUMNS)


def _read_row(row: Row, columns: Columns, where: Place) -> Example | list[str]:
    words, tags = row.get(columns.text), row.get(columns.label)
    wrong = [
        f"{name} is {shown(values)}, expected a list of {what}"
        for name, values, what in ((columns.text, words, "words"), (columns.label, tags, "tags"))
        if not isinstance(values, list) or not values
    ]
    if wrong or not isinstance(words, list) or not isinstance(tags, list):
        return wrong
    names = [label_name(tag) for tag in tags]
    bad_words = [place for place, word in enumerate(words, 1) if not is_text(word)]
    bad_tags = [place for place, tag in enumerate(names, 1) if tag is None]
    wrong += [f"{columns.text} {place} is {shown(words[place - 1])}, expected a str" for place in bad_words[:3]]
    wrong += [
        f"{columns.label} {place} is {shown(tags[place - 1])}, expected a str or a whole number"
        for place in bad_tags[:3]
    ]
    spaced = [place for place, word in enumerate(words, 1) if isinstance(word, str) and len(word.split()) > 1]
    wrong += [f"{columns.text} {place} is {words[place - 1]!r:.40}, expected one word" for place in spaced[:3]]
    if len(words) != len(tags):
        wrong.append(f"{len(words)} {columns.text} and {len(tags)} {columns.label}, expected as many")
    if wrong:
        return wrong
    stripped = tuple(map(str.strip, words))
    return Example(" ".join(stripped), None, tuple(tag or "" for tag in names), where, stripped)


def _tags(rows: Sequence[Example]) -> tuple[str, ...]:
    return tuple(sorted({tag for row in rows for tag in row.label}))


def _unseen(rows: Iterable[Example], labels: Sequence[str]) -> list[Problem]:
    known = set(labels)
    unseen = [(row.where, sorted(set(row.label) - known)) for row in rows]
    return [Problem(where, f"no training row has {', '.join(tags)}") for where, tags in unseen if tags]


DESCRIPTION = TaskDescription(
    name="token-classification",
    metrics=("f1", "precision", "recall", "accuracy"),
    read=read,
    settings=frozenset({"class_weights", "label_smoothing", "label_all_tokens"}),
)
