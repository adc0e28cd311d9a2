"""Labelled rows of one evaluation, and their execution in chunks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet.tokenization.truncation import TruncationWarning
from linnet_bench.accuracy.datasets import Columns, Row, Table
from linnet_bench.accuracy.problems import BadRowsError, Problem, in_order

__all__ = ["LabelledRows", "Progress"]

Value = TypeVar("Value")

Progress: TypeAlias = Callable[[int, int], None]
"""Callback for the number of finished rows and the number of all rows."""

_CHUNK = 64  # rows between two progress reports; large enough to benefit from sorting by length


class LabelledRows:
    """Labelled rows, their conversion, and their execution in chunks."""

    def __init__(
        self, model: Model, table: Table, columns: Columns, progress: Progress, wrong: Sequence[Problem]
    ) -> None:
        self.model = model
        self.table = table
        self.columns = columns
        self.truncated = 0
        self._problems = [*wrong]
        self._progress = progress

    def read(self, convert: Callable[[Row], Value]) -> list[Value]:
        """Convert each row with a function; invalid rows are collected, and :meth:`map` reports them all at once."""
        values = []
        for index, row in enumerate(self.table.rows):
            try:
                values.append(convert(row))
            except InvalidArgumentError as error:
                self._problems.append(Problem(self.table.place(index), str(error)))
        return values

    def texts(self) -> list[str]:
        """Return the text column."""
        return self.read(lambda row: _text(row, self.columns.text))

    def pairs(self) -> list[tuple[str, str]]:
        """Return the text and pair columns."""
        if self.columns.pair is None:
            raise InvalidArgumentError(
                f"{self.table.path}: no column for the second text among "
                f"{', '.join(self.table.columns)}; name it with --pair-column"
            )
        second = self.columns.pair
        return self.read(lambda row: (_text(row, self.columns.text), _text(row, second)))

    def labels(self, convert: Callable[[Any], Value]) -> list[Value]:
        """Return each label, converted by a function."""

        def read(row: Row) -> Value:
            if row.get(self.columns.label) is None:
                raise InvalidArgumentError(f"{self.columns.label} is missing")
            return convert(row[self.columns.label])

        return self.read(read)

    def numbers(self) -> list[float]:
        """Return the label column as numbers."""
        return self.labels(_number)

    def label_name(self, label: object) -> str:
        """Return a label's name; a number is an index into the names, unless it is a name itself."""
        names = self.model.manifest.labels
        label = int(label) if isinstance(label, float) and label.is_integer() else label
        if str(label) in names:
            return str(label)
        if isinstance(label, int | str) and str(label).isascii() and str(label).isdigit() and int(label) < len(names):
            return names[int(label)]
        known = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise InvalidArgumentError(f"label {label!r} is none of the file's {len(names)}: {known}")

    def map(self, items: Sequence[Any], run: Callable[[Sequence[Any]], Sequence[Any]]) -> list[Any]:
        """Run items in chunks, count truncated texts, report progress.

        Raises:
            BadRowsError: rows that were read before are invalid.
        """
        if self._problems:
            raise BadRowsError(in_order(self._problems))
        answers: list[Any] = []
        for start in range(0, len(items), _CHUNK):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                answers += run(items[start : start + _CHUNK])
            self._count(caught)
            self._progress(len(answers), len(items))
        return answers

    def _count(self, caught: Sequence[warnings.WarningMessage]) -> None:
        for warning in caught:
            if isinstance(warning.message, TruncationWarning):
                self.truncated += len(warning.message.positions)
            else:
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{column} is {value!r:.40}, expected a str")
    return value


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{value!r:.40} is no number") from error
