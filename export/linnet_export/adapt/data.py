"""Labelled rows for training: read, checked whole before a second is spent, and split by class."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from linnet.datasets import Columns, Table, choose_columns, read_table
from linnet.errors import InvalidArgumentError
from linnet_export.adapt.config import DataConfig
from linnet_export.adapt.errors import BadDataError

__all__ = ["Example", "Examples", "read_examples"]

_OUT_OF_SCOPE = "oos"  # CLINC150's own name
_FEWEST_HELD_OUT = 1


@dataclasses.dataclass(frozen=True)
class Example:
    """One row.

    Attributes:
        text: the text.
        pair: the second text, None if there is none.
        label: the name of its class.
        where: file and row, for messages.
    """

    text: str
    pair: str | None
    label: str
    where: str


@dataclasses.dataclass(frozen=True)
class Examples:
    """What is trained on, and what is looked at.

    Attributes:
        train: rows to train on.
        validation: rows that are not trained on.
        labels: names of the classes, sorted; their places are the classes' numbers.
        out_of_scope: the label of requests that belong to no class, None without one.
        notes: what is worth knowing about the rows, for the report.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    labels: tuple[str, ...]
    out_of_scope: str | None
    notes: tuple[str, ...]


def read_examples(config: DataConfig, seed: int) -> Examples:
    """Read and check all rows.

    Args:
        config: files, columns and split.
        seed: of the split.

    Raises:
        BadDataError: rows cannot be trained on; the message names every kind of them, with their numbers.
    """
    problems: list[str] = []
    rows = _read(config.train, config, problems)
    held_out = _read(config.validation, config, problems) if config.validation else []
    labels = tuple(sorted({each.label for each in rows}))
    if rows and len(labels) < 2:
        problems.append(f"{config.train}: every row has the label {labels[0]!r}, needed at least two classes")
    if held_out:
        problems += _unseen(held_out, labels)
    if config.out_of_scope is not None and config.out_of_scope not in labels:
        problems.append(f"{config.train}: no row has the out-of-scope label {config.out_of_scope!r}")
    if problems:
        raise BadDataError(problems)
    notes = _notes(rows, held_out)
    if not held_out:
        rows, held_out = _split(rows, config.validation_split, seed)
    usual = _OUT_OF_SCOPE if _OUT_OF_SCOPE in labels else None
    return Examples(tuple(rows), tuple(held_out), labels, config.out_of_scope or usual, notes)


def _read(path: Path, config: DataConfig, problems: list[str]) -> list[Example]:
    wrong = _wrong_encoding(path)
    if wrong:
        problems += wrong
        return []
    try:
        table = read_table(path)
        columns = choose_columns(table, config.text_column, config.pair_column, config.label_column)
    except InvalidArgumentError as error:
        problems.append(str(error))
        return []
    return list(_examples(table, columns, problems))


def _wrong_encoding(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        return [f"{path}: cannot be read: {error.strerror}"]
    found = []
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            found.append(f"{path}, line {number}: not UTF-8: byte 0x{byte:02x}; convert the file, e.g. with iconv")
    return found


def _examples(table: Table, columns: Columns, problems: list[str]) -> Iterable[Example]:
    for number, row in enumerate(table.rows, 1):
        where = f"{table.path}, row {number}"
        text, label = row.get(columns.text), _label(row.get(columns.label))
        pair = row.get(columns.pair) if columns.pair is not None else None
        wrong = [
            *([] if _is_text(text) else [f"{columns.text} is {_shown(text)}, needed a text"]),
            *([] if columns.pair is None or _is_text(pair) else [f"{columns.pair} is {_shown(pair)}, needed a text"]),
            *([] if label is not None else [f"{columns.label} is {_shown(row.get(columns.label))}, needed a label"]),
        ]
        if wrong:
            problems.append(f"{where}: {', '.join(wrong)}")
        else:
            yield Example(str(text), pair, str(label), where)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _label(value: Any) -> str | None:
    if isinstance(value, bool | int):
        return str(value)
    return value.strip() if isinstance(value, str) and value.strip() else None


def _shown(value: Any) -> str:
    return "missing" if value is None else "empty" if isinstance(value, str) and not value.strip() else f"{value!r:.40}"


def _unseen(rows: Iterable[Example], labels: Sequence[str]) -> list[str]:
    known = set(labels)
    return [
        f"{each.where}: label {each.label!r} does not occur in the training rows"
        for each in rows
        if each.label not in known
    ]


def _notes(rows: Sequence[Example], held_out: Sequence[Example]) -> tuple[str, ...]:
    notes = []
    found: dict[tuple[str, str | None], set[str]] = {}
    for each in rows:
        found.setdefault((each.text, each.pair), set()).add(each.label)
    doubtful = sum(len(labels) > 1 for labels in found.values())
    if doubtful:
        notes.append(f"{doubtful} texts occur with more than one label")
    known = {(each.text, each.pair) for each in rows}
    shared = sum((each.text, each.pair) in known for each in held_out)
    if shared:
        notes.append(f"{shared} of {len(held_out)} held-out texts are training texts too, so figures flatter")
    few = [name for name, count in Counter(each.label for each in rows).items() if count < 8]
    if few:
        notes.append(f"fewer than 8 rows of {len(few)} classes: {', '.join(sorted(few)[:5])}")
    return tuple(notes)


def _split(rows: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Hold out a share of each class, at least one row; a class of one row stays whole in training."""
    by_label: dict[str, list[int]] = {}
    for index, each in enumerate(rows):
        by_label.setdefault(each.label, []).append(index)
    chosen: set[int] = set()
    generator = random.Random(seed)
    for label in sorted(by_label):
        places = by_label[label]
        count = max(_FEWEST_HELD_OUT, round(share * len(places))) if len(places) > 1 else 0
        chosen.update(generator.sample(places, count))
    train = [each for index, each in enumerate(rows) if index not in chosen]
    return train, [rows[index] for index in sorted(chosen)]
