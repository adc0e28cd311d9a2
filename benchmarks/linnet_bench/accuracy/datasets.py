"""Readers of labelled text (JSON lines, JSON, CSV, TSV, CoNLL, SQuAD) and the choice of their columns."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.problems import BadRowsError, Place, Problem, not_json

__all__ = ["TEXT_COLUMNS", "Columns", "Row", "Table", "choose_columns", "read_rows", "read_table"]

Row: TypeAlias = Mapping[str, Any]

TEXT_COLUMNS: tuple[str, ...] = (
    "text", "sentence", "sentence1", "text1", "premise", "utterance", "question", "query", "tokens", "words",
)  # fmt: skip
"""Usual names of the text column, most likely first."""
_PAIR = (
    "text_pair", "pair", "sentence2", "text2", "hypothesis", "context", "passage", "document", "passage_text"
)  # fmt: skip
_LABEL = (
    "label", "labels", "intent", "class", "category", "score", "similarity", "similarity_score", "answers",
    "answer", "tags", "ner_tags", "target", "relevance",
)  # fmt: skip
_NAMES = frozenset({*TEXT_COLUMNS, *_PAIR, *_LABEL})


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of a file.

    Attributes:
        path: path of the file.
        rows: each with its values by column; columns of a file without header are "0", "1", ...
        lines: line on which each row begins, from 1; empty for a format without one row a line.
    """

    path: str
    rows: tuple[Row, ...]
    lines: tuple[int, ...] = ()

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


def read_table(path: str | Path, *, header: bool | None = None) -> Table:
    """Read a file by its ending: .jsonl, .json, .csv, .tsv; anything else is CoNLL.

    Args:
        path: path of the file.
        header: whether a CSV's first row has the names; None: if one of them is a usual name.

    Raises:
        OSError: the file cannot be read.
        InvalidArgumentError: it does not have the format of its ending, or has no rows; lists every invalid line.
    """
    table, problems = read_rows(path, header=header)
    if problems:
        raise BadRowsError(problems)
    return table


def read_rows(path: str | Path, *, header: bool | None = None) -> tuple[Table, list[Problem]]:
    """Read a file as :func:`read_table` does; return its rows and the problems of invalid lines.

    Raises:
        OSError: the file cannot be read.
        InvalidArgumentError: it is not text, or has neither rows nor invalid lines.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(f"{path}: not UTF-8: {error}") from error
    ending = Path(path).suffix.lower()
    contents = _Contents(str(path))
    if ending in (".csv", ".tsv"):
        _from_csv(contents, text, "\t" if ending == ".tsv" else ",", header)
    elif ending in (".jsonl", ".ndjson", ".json"):
        _from_json(contents, text)
    else:
        _from_conll(contents, text)
    if not contents.rows and not contents.problems:
        raise InvalidArgumentError(f"{path}: no rows")
    return Table(str(path), tuple(contents.rows), tuple(contents.lines)), contents.problems


class _Contents:
    """Rows and problems collected while a file is read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows: list[Row] = []
        self.lines: list[int] = []
        self.problems: list[Problem] = []

    def add(self, row: Row, line: int) -> None:
        self.rows.append(row)
        self.lines.append(line)

    def wrong(self, number: int, what: str, kind: str = "line") -> None:
        self.problems.append(Problem(Place(self.path, number, kind), what))


def _from_csv(contents: _Contents, text: str, delimiter: str, header: bool | None) -> None:
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    start = 1  # first line of the row, because a row may have several lines
    try:
        for row in reader:
            if row:
                rows.append((start, row))
            start = reader.line_num + 1
    except csv.Error as error:
        contents.wrong(start, f"not CSV: {error}")
    if not rows:
        return
    names = [cell.strip() for cell in rows[0][1]]
    if header is None:
        header = bool(_NAMES & {name.lower() for name in names})
    if header:
        rows = rows[1:]
    else:
        names = [str(column) for column in range(max(len(row) for _, row in rows))]
    for line, row in rows:
        contents.add(dict(zip(names, row, strict=False)), line)


def _from_json(contents: _Contents, text: str) -> None:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        lines = _Contents(contents.path)
        _from_json_lines(lines, text)
        if text.lstrip().startswith("[") or not lines.rows:
            contents.wrong(error.lineno, not_json(error))  # one value over many lines, which is broken at one of them
        else:
            contents.rows, contents.lines, contents.problems = lines.rows, lines.lines, lines.problems
        return
    if isinstance(whole, dict) and isinstance(whole.get("data"), list):
        whole = whole["data"]
    rows = whole if isinstance(whole, list) else [whole]
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict):
            contents.rows.append(row)
        else:
            contents.wrong(number, _no_object(row), "row")
    if contents.rows and "paragraphs" in contents.rows[0]:
        contents.rows = list(_squad_rows(contents.rows))


def _from_json_lines(contents: _Contents, text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            contents.wrong(number, not_json(error))
            continue
        if isinstance(row, dict):
            contents.add(row, number)
        else:
            contents.wrong(number, _no_object(row))


def _no_object(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind == 'int' else 'a'} {kind}, expected an object"


def _squad_rows(articles: Iterable[Row]) -> Iterable[Row]:
    """Yield the rows in SQuAD's nesting of articles, paragraphs and questions."""
    for article in articles:
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
