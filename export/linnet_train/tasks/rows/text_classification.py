"""Rows of text-classification: a text, an optional second text, and a class name."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from linnet.cli.console import counted
from linnet_bench.accuracy.datasets import Columns, Row
from linnet_bench.accuracy.problems import Place, Problem
from linnet_train.data.config import DataConfig
from linnet_train.data.rows import Example, Examples, label_name, overlap_note, read_file, shown, texts_wrong
from linnet_train.errors import BadDataError
from linnet_train.tasks.description import TaskDescription

__all__ = ["DESCRIPTION", "IN_SCOPE_METRICS"]

_OUT_OF_SCOPE = "oos"  # CLINC150's own name
_FEWEST_HELD_OUT = 1
_FEW_CLASSES = 3  # more are rarely all that a text can be about
_NOTHING_OUTSIDE = (
    "no row has the label oos, so a text about anything else gets one of the {} classes too: add rows of such texts "
    "with that label (--out-of-scope LABEL names another)"
)

IN_SCOPE_METRICS: tuple[str, ...] = ("accuracy", "macro_f1")
"""Figures that need no held-out row that is out of scope."""


def read(config: DataConfig, seed: int) -> Examples:
    """Read, check and split rows; without validation rows a share of each class is held out."""
    problems: list[Problem] = []
    rows = read_file(config.train, config, _read_row, problems)
    held_out = read_file(config.validation, config, _read_row, problems) if config.validation else []
    labels = tuple(sorted({row.label for row in rows}))
    if rows and len(labels) < 2:
        problems.append(
            Problem(Place(str(config.train)), f"every row has the label {labels[0]!r}, expected at least two classes")
        )
    if held_out:
        problems += _unseen(held_out, labels)
    if config.out_of_scope is not None and config.out_of_scope not in labels:
        problems.append(Problem(Place(str(config.train)), f"no row has the out-of-scope label {config.out_of_scope!r}"))
    elif rows and not config.validation and len(labels) == len(rows):
        what = "every class has a single row, so none can be held out; add rows, or give --validation"
        problems.append(Problem(Place(str(config.train)), what))
    if problems:
        raise BadDataError(problems)
    notes = _notes(rows, held_out)
    if config.out_of_scope is None and _OUT_OF_SCOPE not in labels and len(labels) > _FEW_CLASSES:
        notes = (*notes, _NOTHING_OUTSIDE.format(len(labels)))
    if not held_out:
        rows, held_out = _split(rows, config.validation_split, seed)
    usual = _OUT_OF_SCOPE if _OUT_OF_SCOPE in labels else None
    return Examples(tuple(rows), tuple(held_out), labels, config.out_of_scope or usual, notes)


def _read_row(row: Row, columns: Columns, where: Place) -> Example | list[str]:
    label = label_name(row.get(columns.label))
    wrong = texts_wrong(row, (columns.text, columns.pair))
    if label is None:
        wrong.append(f"{columns.label} is {shown(row.get(columns.label))}, expected a label: a text or a whole number")
    pair = row.get(columns.pair) if columns.pair is not None else None
    return wrong or Example(row[columns.text], pair, label or "", where)


def _unseen(rows: Iterable[Example], labels: Sequence[str]) -> list[Problem]:
    known = set(labels)
    return [
        Problem(row.where, f"label {row.label!r} does not occur in the training rows")
        for row in rows
        if row.label not in known
    ]


def _notes(rows: Sequence[Example], held_out: Sequence[Example]) -> tuple[str, ...]:
    notes = []
    labels_of: dict[tuple[str, str | None], set[str]] = {}
    for row in rows:
        labels_of.setdefault((row.text, row.pair), set()).add(row.label)
    doubtful = sum(len(labels) > 1 for labels in labels_of.values())
    if doubtful:
        notes.append(f"{counted(doubtful, 'text occurs', 'texts occur')} with more than one label")
    notes += overlap_note(rows, held_out)
    few = [name for name, count in Counter(row.label for row in rows).items() if count < 8]
    if few:
        notes.append(f"fewer than 8 rows of {counted(len(few), 'class', 'classes')}: {', '.join(sorted(few)[:5])}")
    return tuple(notes)


def _split(rows: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Hold out a share of each class, at least one row; a class of one row stays whole in training."""
    by_label: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        by_label.setdefault(row.label, []).append(index)
    chosen: set[int] = set()
    generator = random.Random(seed)
    for label in sorted(by_label):
        places = by_label[label]
        count = max(_FEWEST_HELD_OUT, round(share * len(places))) if len(places) > 1 else 0
        chosen.update(generator.sample(places, count))
    train = [row for index, row in enumerate(rows) if index not in chosen]
    return train, [rows[index] for index in sorted(chosen)]


DESCRIPTION = TaskDescription(
    name="text-classification",
    metrics=(*IN_SCOPE_METRICS, "in_scope_accuracy", "out_of_scope_recall", "out_of_scope_auroc"),
    read=read,
    settings=frozenset(
        {
            "augmentation",
            "hidden_weight",
            "calibration",
            "class_weights",
            "label_smoothing",
            "objective",
            "out_of_scope",
            "pooling",
        }
    ),
)
