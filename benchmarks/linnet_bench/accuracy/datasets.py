"""Readers of labelled text (JSON lines, JSON, CSV, TSV, CoNLL, SQuAD) and the choice of their columns."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.delimited import DelimitedFormat, read_delimited
from linnet_bench.accuracy.problems import BadRowsError, Place, Problem, not_json
from linnet_bench.accuracy.row_files import utf8_bytes

__all__ = ["TEXT_COLUMNS", "Columns", "Row", "Table", "choose_columns", "read_rows", "read_table"]

Row: TypeAlias = Mapping[str, Any]

TEXT_COLUMNS: tuple[str, ...] = (
    "text", "sentence", "sentence1", "text1", "premise", "utterance", "question", "query", "tokens", "words",
    "review", "comment", "message", "tweet",
)  # fmt: skip
"""Usual names of the text column, most likely first."""
_PAIR = (
    "text_pair", "pair", "sentence2", "text2", "hypothesis", "context", "passage", "document", "passage_text"
)  # fmt: skip
_LABEL = (
    "label", "labels", "intent", "class", "category", "score", "similarity", "similarity_score", "answers",
    "answer", "tags", "ner_tags", "target", "relevance", "sentiment", "emotion", "topic", "polarity", "rating", "stars",
)  # fmt: skip
_JSON = (".jsonl", ".ndjson", ".json")
_NAMES = frozenset({*TEXT_COLUMNS, *_PAIR, *_LABEL})
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of a file.

    Attributes:
        path: path of the file.
        rows: each with its values by column; columns of a file without header are "0", "1", ...
        lines: line on which each row begins, from 1; empty for a format without one row a line.
        guessed_header: the first row was taken for a header although none of its names is usual.
    """

    path: str
    rows: tuple[Row, ...]
    lines: tuple[int, ...] = ()
    guessed_header: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns of the first row."""
        return tuple(self.rows[0]) if self.rows else ()

    def place(self, index: int) -> Place:
        """Return the position of a row in the file, by its index from 0."""
        return Place(self.path, self.lines[index]) if self.lines else Place(self.path, index + 1, "row")


@dataclasses.dataclass(frozen=True)
class Columns:
    """The column of each role.

    Attributes:
        text: the text, the question, the query, the tokens.
        pair: the second text, the context, the passage; None if there is none.
        label: label, score, answers or tags.
    """

    text: str
    pair: str | None
    label: str


def read_table(path: str | Path, delimited: DelimitedFormat | None = None) -> Table:
    """Read a file by its ending: .jsonl, .json, .csv, .tsv; anything else is CoNLL, or CSV if it has a delimiter.

    Args:
        path: path of the file.
        delimited: what is known of a CSV; None: nothing.

    Raises:
        OSError: the file cannot be read.
        InvalidArgumentError: it does not have the format of its ending, or has no rows; lists every invalid line.
    """
    table, problems = read_rows(path, delimited)
    if problems:
        raise BadRowsError(problems)
    return table


def read_rows(path: str | Path, delimited: DelimitedFormat | None = None) -> tuple[Table, list[Problem]]:
    """Read a file as :func:`read_table` does; return its rows and the problems of invalid lines.

    Raises:
        OSError: the file cannot be read.
        InvalidArgumentError: it is not text, or has neither rows nor invalid lines.
    """
    try:
        text = utf8_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(f"{path}: not UTF-8: {error}") from error
    ending = Path(path).suffix.lower()
    contents = _Contents(str(path))
    known = delimited or DelimitedFormat()
    if ending in _JSON:
        _from_json(contents, text)
    elif ending in (".csv", ".tsv") or known.delimiter is not None:
        _from_delimited(contents, text, "\t" if ending == ".tsv" else ",", known)
    else:
        _from_conll(contents, text)
    if not contents.rows and not contents.problems:
        raise InvalidArgumentError(f"{path}: no rows")
    return Table(str(path), tuple(contents.rows), tuple(contents.lines), contents.guessed_header), contents.problems


class _Contents:
    """Rows and problems collected while a file is read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows: list[Row] = []
        self.lines: list[int] = []
        self.problems: list[Problem] = []
        self.guessed_header = False

    def add(self, row: Row, line: int) -> None:
        self.rows.append(row)
        self.lines.append(line)

    def wrong(self, number: int, what: str, kind: str = "line") -> None:
        self.problems.append(Problem(Place(self.path, number, kind), what))


def _from_delimited(contents: _Contents, text: str, usual: str, known: DelimitedFormat) -> None:
    try:
        read = read_delimited(text, usual, _NAMES, known)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{contents.path}: {error}") from error
    contents.guessed_header = read.guessed_header
    for line, fields in read.rows:
        contents.add(dict(zip(read.names, fields, strict=True)), line)
    for line, what in read.problems:
        contents.wrong(line, what)


def _from_json(contents: _Contents, text: str) -> None:
    try:
        whole = _parsed(text)
    except ValueError as error:
        lines = _Contents(contents.path)
        _from_json_lines(lines, text)
        if text.lstrip().startswith("[") or not lines.rows:
            # one value over many lines, which is broken at one of them
            contents.wrong(error.lineno if isinstance(error, json.JSONDecodeError) else 1, _why_unreadable(error))
        else:
            contents.rows, contents.lines, contents.problems = lines.rows, lines.lines, lines.problems
        return
    if isinstance(whole, dict) and isinstance(whole.get("data"), list):
        whole = whole["data"]
    rows = whole if isinstance(whole, list) else [whole]
    escaped = bool(_ESCAPED_SURROGATE.search(text))
    if rows and isinstance(rows[0], dict) and "paragraphs" in rows[0]:
        rows = _squad_rows(contents, rows)
    for number, row in enumerate(rows, 1):
        wrong = _wrong_row(row, with_surrogates=escaped)
        if wrong is None:
            contents.rows.append(row)
        else:
            contents.wrong(number, wrong, "row")


def _from_json_lines(contents: _Contents, text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = _parsed(line)
        except ValueError as error:
            contents.wrong(number, _why_unreadable(error))
            continue
        wrong = _wrong_row(row, with_surrogates=bool(_ESCAPED_SURROGATE.search(line)))
        if wrong is None:
            contents.add(row, number)
        else:
            contents.wrong(number, wrong)


def _parsed(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is not JSON, or such as Python cannot hold.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its lists and objects are nested too deeply") from None


def _why_unreadable(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return not_json(error)
    too_long = "integer string conversion" in str(error)  # Python's bound, against numbers that take minutes to read
    return f"a number has more than {sys.get_int_max_str_digits()} digits" if too_long else str(error)


def _wrong_row(row: object, *, with_surrogates: bool) -> str | None:
    """Return what is wrong with a row whatever the task, or None.

    Args:
        row: parsed.
        with_surrogates: the file has escapes of surrogates, most of which make pairs.
    """
    if not isinstance(row, dict):
        return _no_object(row)
    for name, value in row.items() if with_surrogates else ():
        for text in _texts_in([name, value]):
            half = _SURROGATE.search(text)
            if half:
                where = f"\\u{ord(half[0]):04x} at character {half.start() + 1}"
                return f"{name!r:.40} has {where}, which is half of a character; write both halves, or none"
    return None


def _texts_in(value: object) -> Iterable[str]:
    """Yield every text inside lists and objects, however deep."""
    left = [value]
    while left:
        inner = left.pop()
        if isinstance(inner, str):
            yield inner
        elif isinstance(inner, list):
            left += inner
        elif isinstance(inner, dict):
            left += [*inner.keys(), *inner.values()]


def _no_object(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind == 'int' else 'a'} {kind}, expected an object"


def _squad_rows(contents: _Contents, articles: Iterable[object]) -> list[Row]:
    """Return the rows in SQuAD's nesting of articles, paragraphs and questions; articles of another form are wrong."""
    rows: list[Row] = []
    for number, article in enumerate(articles, 1):
        try:
            rows += list(_questions(article))
        except (AttributeError, TypeError):
            contents.wrong(number, "expected paragraphs with context and qas, as SQuAD has them", "article")
    return rows


def _questions(article: Any) -> Iterable[Row]:
    for paragraph in article.get("paragraphs", ()):
        for question in paragraph.get("qas", ()):
            answers = question.get("answers") or ()
            yield {
                "question": question.get("question"),
                "context": paragraph.get("context"),
                "answers": {name: [answer.get(name) for answer in answers] for name in ("text", "answer_start")},
            }


def _from_conll(contents: _Contents, text: str) -> None:
    tokens: list[str] = []
    tags: list[str] = []
    start = 1
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if not line.strip():
            if tokens:
                contents.add({"tokens": tokens, "tags": tags}, start)
            tokens, tags = [], []
            continue
        fields = line.rstrip("\r").split("\t") if "\t" in line else line.split()
        if len(fields) < 2:
            contents.wrong(
                number,
                f"{line.strip()[:40]!r} has one field, expected token and tag; "
                "other forms need the ending .jsonl, .json, .csv or .tsv",
            )
        elif fields[0] != "-DOCSTART-":
            start = start if tokens else number
            tokens.append(fields[0])
            tags.append(fields[-1].strip())


def choose_columns(table: Table, text: str | None, pair: str | None, label: str | None) -> Columns:
    """Return the columns: those named, else the usual names, else 0, 1, 2 of a file without header.

    Raises:
        InvalidArgumentError: a named column does not exist, or none can be found.
    """
    positions = table.columns[:1] == ("0",)
    width = len(table.columns)
    guesses: tuple[tuple[str, str | None, Sequence[str], str | None], ...] = (
        ("text", text, TEXT_COLUMNS, "0" if positions else None),
        ("pair", pair, _PAIR, "1" if positions and width > 2 else None),
        ("label", label, _LABEL, str(width - 1) if positions and width > 1 else None),
    )
    columns = {role: _choose(table, role, named, usual, place) for role, named, usual, place in guesses}
    for role in ("text", "label"):
        if columns[role] is None:
            raise InvalidArgumentError(
                f"{table.path}: no {role} column among {', '.join(table.columns)}; name it with --{role}-column"
                f"{', or give --no-header if that line is a row' if table.guessed_header else ''}"
            )
    return Columns(str(columns["text"]), columns["pair"], str(columns["label"]))


def _choose(table: Table, role: str, named: str | None, usual: Sequence[str], place: str | None) -> str | None:
    if named is not None:
        if named not in table.columns and named not in _all_columns(table):
            raise InvalidArgumentError(
                f"{table.path}: --{role}-column is {named!r}, the file has {', '.join(table.columns)}"
            )
        return named
    column = _usual(table.columns, usual)
    if column is None and role != "pair":  # the first row may lack the column; the reader of rows reports that
        column = _usual(_all_columns(table), usual)
    return column or place


def _usual(columns: Sequence[str], usual: Sequence[str]) -> str | None:
    by_lower = {column.lower(): column for column in columns}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def _all_columns(table: Table) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in table.rows for name in row))
