"""Reader of delimited text (CSV, TSV): delimiter, header, and rows of an equal number of fields."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from linnet.cli.console import counted
from linnet.errors import InvalidArgumentError

__all__ = ["Delimited", "DelimitedFormat", "delimiter_character", "read_delimited"]

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 1_000  # rows by which the delimiter is found
_MOST = 0.9  # share of the sample that has as many fields as its first row, in a file with single wrong rows
_LONGEST_NAME = 40
_WORDS_OF_A_NAME = 3
_EXCEL_LINE = re.compile(r'"?sep=(.)"?\s*')


@dataclasses.dataclass(frozen=True, kw_only=True)
class DelimitedFormat:
    """Format of a delimited file, as far as it is known before the file is read.

    Attributes:
        header: whether the first row has the names of the columns; None: found out.
        delimiter: one character, or `tab`; None: found out.
        names: names of columns that the caller asks for: a first row with one of them is a header.
    """

    header: bool | None = None
    delimiter: str | None = None
    names: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Delimited:
    """Content of a delimited file.

    Attributes:
        names: of the columns; "0", "1", ... of a file without header.
        rows: (first line, fields), each with a field for each name.
        problems: (line, what is wrong with it).
        guessed_header: the first row was taken for a header although nobody knows its names.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]
    problems: tuple[tuple[int, str], ...]
    guessed_header: bool


def delimiter_character(text: str) -> str:
    """Return the character that ``text`` names: itself, or a tab for `tab`.

    Raises:
        InvalidArgumentError: it is not one character that can separate fields.
    """
    character = "\t" if text in ("tab", "\\t") else text
    if len(character) != 1 or character in '"\r\n':
        raise InvalidArgumentError(f"delimiter is {text!r}, expected one character, or tab")
    return character


def read_delimited(text: str, usual: str, usual_names: frozenset[str], known: DelimitedFormat) -> Delimited:
    """Read the rows of a delimited file.

    Args:
        text: of the file, without a byte order mark.
        usual: delimiter that the file's ending stands for.
        usual_names: names in lower case by which a header is recognized.
        known: what the caller knows.

    Raises:
        InvalidArgumentError: several delimiters are possible.
    """
    lines = list(io.StringIO(text, newline=""))
    skipped = 0
    named = _EXCEL_LINE.fullmatch(lines[0]) if lines else None
    if named is not None:
        lines, skipped = lines[1:], 1
    wanted = known.names
    with _fields_of_any_size(len(text)):
        if known.delimiter is not None:
            delimiter = delimiter_character(known.delimiter)
        elif named is not None:
            delimiter = named[1]
        else:
            delimiter = _find_delimiter(lines, usual, usual_names | set(wanted))
        rows, problems = _split(lines, delimiter)
    header = _header([fields for _, fields in rows], usual_names, known) if rows else _Header(False)
    names = _names(rows, header.there, problems) if rows else ()
    rows = rows[1:] if header.there else rows
    return Delimited(
        names=names,
        rows=tuple((line + skipped, fields) for line, fields in rows if len(fields) == len(names)),
        problems=tuple(
            (line + skipped, what)
            for line, what in (*problems, *_of_other_width(rows, names, delimiter, header=header.there))
        ),
        guessed_header=header.guessed,
    )


@dataclasses.dataclass(frozen=True)
class _Header:
    there: bool
    guessed: bool = False


@contextlib.contextmanager
def _fields_of_any_size(characters: int) -> Iterator[None]:
    """Let fields be as long as the file; Python's own limit of 131 072 characters holds for all readers."""
    before = csv.field_size_limit(max(characters, 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _split(lines: Sequence[str], delimiter: str) -> tuple[list[tuple[int, list[str]]], list[tuple[int, str]]]:
    """Return (first line, fields) of each row, and what is wrong with lines."""
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(lines, delimiter=delimiter)
    start = 1  # first line of the row, because a row may have several lines
    for row in reader:
        if row:
            rows.append((start, row))
        last, start = start, reader.line_num + 1
    if not rows or not _is_open(lines[last - 1 :], delimiter):
        return rows, []
    return rows[:-1], [(last, "a quote is opened here and never closed; write a quote inside a field twice")]


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the last row ends inside quotes, which `csv` says only in strict mode."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        next(reader)
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _find_delimiter(lines: Sequence[str], usual: str, names: frozenset[str] | set[str]) -> str:
    samples = {
        delimiter: [row for row in itertools.islice(csv.reader(lines, delimiter=delimiter), _SAMPLE) if row]
        for delimiter in dict.fromkeys((usual, *_DELIMITERS))
    }
    shares = {delimiter: _even(sample) for delimiter, sample in samples.items()}
    fitting = [delimiter for delimiter, share in shares.items() if share == 1]
    if not fitting:
        best = max(shares, key=lambda delimiter: shares[delimiter])  # of equal ones the first, the usual one
        return best if shares[usual] == 0 or shares[usual] < _MOST <= shares[best] else usual
    with_header = [each for each in fitting if any(_plain(cell) in names for cell in samples[each][0])]
    chosen = with_header or fitting
    if len(chosen) > 1:
        shown = " or ".join("tab" if each == "\t" else repr(each) for each in chosen)
        raise InvalidArgumentError(f"its fields may be separated by {shown}; say which with --delimiter")
    return chosen[0]


def _even(sample: Sequence[Sequence[str]]) -> float:
    """Return the share of rows with as many fields as the first; 0 where that has a single one."""
    if not sample or len(sample[0]) < 2:
        return 0.0
    return sum(len(row) == len(sample[0]) for row in sample) / len(sample)


def _plain(cell: str) -> str:
    return cell.strip().lower()


def _header(rows: Sequence[Sequence[str]], usual_names: frozenset[str], known: DelimitedFormat) -> _Header:
    """Return whether the first row has names: usual or wanted ones, or such as occur nowhere below them.

    A value of a column of classes occurs below the first row too, and a number stands among numbers.
    """
    if known.header is not None:
        return _Header(known.header)
    first = [cell.strip() for cell in rows[0]]
    columns = [{row[place].strip() for row in rows[1:] if len(row) > place} for place in range(len(first))]
    new = [cell for place, cell in enumerate(first) if cell not in columns[place]]
    if any(cell.lower() in usual_names or cell in known.names for cell in new):
        return _Header(True)
    if len(new) < len(first) or not all(map(_is_name, first[1:] if first[0] == "" else first)):
        return _Header(False)
    numeric = any(values and all(map(_is_number, values)) for values in columns)
    repeated = len(first) > 1 and any(len(values) < len(rows) - 1 for values in columns)
    likely = len(set(first)) == len(first) and (numeric or repeated)
    return _Header(likely, likely)


def _is_name(cell: str) -> bool:
    return 0 < len(cell) <= _LONGEST_NAME and len(cell.split()) <= _WORDS_OF_A_NAME and not _is_number(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _names(rows: Sequence[tuple[int, Sequence[str]]], header: bool, problems: list[tuple[int, str]]) -> tuple[str, ...]:
    """Return the names of the columns: the header's, or the numbers of as many as most rows have."""
    line, first = rows[0]
    if not header:
        width = Counter(len(fields) for _, fields in rows).most_common(1)[0][0]
        return tuple(map(str, range(width)))
    names = tuple(cell.strip() for cell in first)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        problems.append((line, f"the header has {', '.join(map(repr, twice))} more than once, expected distinct names"))
    return names


def _of_other_width(
    rows: Sequence[tuple[int, Sequence[str]]], names: Sequence[str], delimiter: str, *, header: bool
) -> Iterator[tuple[int, str]]:
    expected = f"{len(names)} ({', '.join(names)})" if header else f"{len(names)} as most rows have"
    shown = "a tab" if delimiter == "\t" else repr(delimiter)
    for line, fields in rows:
        if len(fields) != len(names):
            number = counted(len(fields), "field")
            yield line, f"{number}, expected {expected}; put quotes around a field that contains {shown}"
