"""Reading, validation and splitting of labelled rows, shared by all tasks."""

from __future__ import annotations

import dataclasses
import random
import reprlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.datasets import Columns, Row, Table, choose_columns, read_rows
from linnet_bench.accuracy.problems import Place, Problem, in_order
from linnet_bench.accuracy.row_files import utf8_bytes
from linnet_train.data.config import DataConfig
from linnet_train.errors import BadDataError

__all__ = [
    "Example",
    "Examples",
    "ReadRow",
    "hold_out",
    "is_text",
    "label_name",
    "of_file",
    "overlap_note",
    "read_file",
    "shown",
    "wrong_encoding",
]


_LARGEST_WHOLE = 2.0**53  # larger numbers of JSON with a point are not exact
_SHORT = reprlib.Repr()  # of a value that is nested deeper than Python can show
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 40


@dataclasses.dataclass(frozen=True)
class Example:
    """One labelled row.

    Attributes:
        text: the text.
        pair: the second text, None if there is none.
        label: class name, one tag for each word, answers, or a score.
        where: file and line, for messages.
        words: the words that have tags; `text` is these with spaces between.
    """

    text: str
    pair: str | None
    label: Any
    where: Place
    words: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Examples:
    """Training and validation rows.

    Attributes:
        train: rows to train on.
        validation: held-out rows.
        labels: sorted names of classes or tags; a label's index is its id. Empty for other tasks.
        out_of_scope: label of out-of-scope rows, None if there is none.
        notes: remarks about the rows, for the report.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    labels: tuple[str, ...]
    out_of_scope: str | None
    notes: tuple[str, ...]


ReadRow: TypeAlias = Callable[[Row, Columns, Place], "Example | list[str]"]
"""(row, columns, where) -> the example, or what is wrong with the row."""


def read_file(
    path: Path,
    config: DataConfig,
    read_row: ReadRow,
    problems: list[Problem],
    *,
    needs_pair: bool = False,
    usual: Columns | None = None,
) -> list[Example]:
    """Read the examples of a file; problems are appended to ``problems``, in the order of lines.

    Args:
        path: of the file.
        config: its columns.
        read_row: what the task needs of a row.
        problems: gets one for each row that is wrong.
        needs_pair: a file without a column of second texts is wrong.
        usual: columns that the task prefers, where the file has them.
    """
    wrong = wrong_encoding(path)
    if wrong:
        problems += wrong
        return []
    row_problems: list[Problem] = []
    try:
        table, row_problems = read_rows(path, config.delimited)
        if not table.rows:
            problems += row_problems
            return []
        preferred = [] if usual is None else [usual.text, usual.label]
        text, label = [name if name in table.columns else None for name in preferred] or [None, None]
        columns = choose_columns(table, config.text_column or text, config.pair_column, config.label_column or label)
    except InvalidArgumentError as error:
        problems += [of_file(path, error), *row_problems]
        return []
    if needs_pair and columns.pair is None:
        problems.append(
            Problem(Place(str(path)), f"no second text among {', '.join(table.columns)}; name it with --pair-column")
        )
        return []
    examples = list(_examples(table, columns, read_row, row_problems))
    problems += in_order(row_problems)
    return examples


def of_file(path: Path, error: InvalidArgumentError) -> Problem:
    """Convert an error about a whole file to a problem."""
    return Problem(Place(str(path)), str(error).removeprefix(f"{path}: "))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grouping:
    """Grouping of the rows for the validation split.

    Attributes:
        key: rows with the same key stay together.
        fewest: keys that are needed for that.
        too_few: what there is instead, in words.
    """

    key: Callable[[Example], Hashable]
    fewest: int
    too_few: str


def read_grouped(
    config: DataConfig,
    seed: int,
    read_row: ReadRow,
    grouping: Grouping,
    check: Callable[[Sequence[Example], Sequence[Example]], Iterable[Problem]],
    labels: Callable[[Sequence[Example]], tuple[str, ...]] = lambda rows: (),
    **columns: Any,
) -> Examples:
    """Read, check and split rows of which those of a group are held out together.

    Args:
        config: files and columns.
        seed: of the split.
        read_row: what the task needs of a row.
        grouping: of the rows that are held out.
        check: (training rows, validation rows) -> what is wrong with them as a whole.
        labels: training rows -> names of their labels.
        columns: as for :func:`read_file`.

    Raises:
        BadDataError: the message names everything that is wrong.
    """
    problems: list[Problem] = []
    rows = read_file(config.train, config, read_row, problems, **columns)
    held_out = read_file(config.validation, config, read_row, problems, **columns) if config.validation else []
    problems += check(rows, held_out)
    if rows and not config.validation and len({grouping.key(row) for row in rows}) < grouping.fewest:
        problems.append(Problem(Place(str(config.train)), f"{grouping.too_few}, or --validation"))
    if problems:
        raise BadDataError(problems)
    known, notes = labels(rows), tuple(overlap_note(rows, held_out))
    if not held_out:
        rows, held_out = hold_out(rows, grouping.key, config.validation_split, seed)
    return Examples(tuple(rows), tuple(held_out), known, None, notes)


def of_one_score(path: Path | None, rows: Sequence[Example], what: str) -> list[Problem]:
    """Return a problem if all rows have the same number for a label; ``what`` they are and have, in words."""
    if not rows or len({row.label for row in rows}) > 1:
        return []
    return [Problem(Place(str(path)), f"every {what} {rows[0].label:g}, expected at least two")]


def scored_pair(
    row: Row, columns: Columns, where: Place, needed: str, fits: Callable[[float], bool] = lambda number: True
) -> Example | list[str]:
    """Return a pair of texts with a number for a label, or what is wrong; ``needed``: which numbers, in words."""
    wrong = texts_wrong(row, (columns.text, columns.pair))
    number = number_of(row.get(columns.label))
    if number is None or not fits(number):
        wrong.append(f"{columns.label} is {shown(row.get(columns.label))}, expected {needed}")
    pair = row.get(columns.pair) if columns.pair is not None else None
    return wrong or Example(row[columns.text], pair, number, where)


def wrong_encoding(path: Path) -> list[Problem]:
    """Return a problem for a file that cannot be read or is no text, and for each line that is not UTF-8."""
    try:
        data = utf8_bytes(path)
    except OSError as error:
        return [Problem(Place(str(path)), f"cannot be read: {error.strerror}")]
    except InvalidArgumentError as error:
        return [of_file(path, error)]
    problems = []
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            what = f"not UTF-8: byte 0x{byte:02x}; convert the file, e.g. with iconv"
            problems.append(Problem(Place(str(path), number), what))
    return problems


def _examples(table: Table, columns: Columns, read_row: ReadRow, problems: list[Problem]) -> Iterable[Example]:
    for index, row in enumerate(table.rows):
        where = table.place(index)
        parsed = read_row(row, columns, where)
        if isinstance(parsed, Example):
            yield parsed
        else:
            problems.append(Problem(where, ", ".join(parsed)))


def is_text(value: Any) -> bool:
    """Whether ``value`` is a str that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def label_name(value: Any) -> str | None:
    """Return the name that a label has as text, 1.0 as 1; None of what is neither a text nor a whole number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_WHOLE:
        return str(int(value))
    if isinstance(value, bool | int):
        return str(value)
    return value.strip() if is_text(value) else None


def shown(value: Any) -> str:
    """Format a value for a message: missing, empty, or its shortened repr."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return f"{value!r:.40}" if value.strip() else "empty"
    return _SHORT.repr(value)[:40]


def texts_wrong(row: Mapping[str, Any], names: Sequence[str | None]) -> list[str]:
    """Return a sentence for each named column without a text; None entries are skipped."""
    return [f"{name} is {shown(row.get(name))}, expected a text" for name in names
            if name is not None and not is_text(row.get(name))]  # fmt: skip


def number_of(value: Any) -> float | None:
    """Convert a number or a numeric str to a finite float; return None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None  # NaN compares false


def overlap_note(rows: Sequence[Example], held_out: Sequence[Example]) -> list[str]:
    """Return a note if held-out texts also occur among the training rows."""
    known = {(row.text, row.pair) for row in rows}
    shared = sum((row.text, row.pair) in known for row in held_out)
    return (
        [f"{shared} of {len(held_out)} held-out texts are training texts too, so figures are optimistic"]
        if shared
        else []
    )


def hold_out(
    rows: Sequence[Example], group: Callable[[Example], Hashable], share: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Split rows into training and validation rows; rows of a group stay together.

    At least one group is held out, and at least one is trained on.
    """
    groups = list(dict.fromkeys(group(row) for row in rows))
    count = min(max(1, round(share * len(groups))), len(groups) - 1)
    chosen = set(random.Random(seed).sample(groups, count))
    return [row for row in rows if group(row) not in chosen], [row for row in rows if group(row) in chosen]
