"""Rows of labelled text: JSON lines, JSON, CSV, TSV, CoNLL and SQuAD files, and which column is what."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from linnet.errors import InvalidArgumentError

__all__ = ["TEXT_COLUMNS", "Columns", "Row", "Table", "choose_columns", "read_table"]

Row: TypeAlias = Mapping[str, Any]

TEXT_COLUMNS: tuple[str, ...] = (
    "text", "sentence", "sentence1", "text1", "premise", "utterance", "question", "query", "tokens", "words",
)  # fmt: skip
"""Usual names of the column of the text, likeliest first."""
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
        path: the file.
        rows: each with its values by column; columns of a file without header are "0", "1", ...
    """

    path: str
    rows: tuple[Row, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the first row."""
        return tuple(self.rows[0]) if self.rows else ()


@dataclasses.dataclass(frozen=True)
class Columns:
    """Which column is what.

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
        path: the file.
        header: whether a CSV's first row has the names; None: if one of them is a usual name.

    Raises:
        OSError: the file cannot be read.
        InvalidArgumentError: it has not the form of its ending, or no rows.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(f"{path}: not UTF-8: {error}") from error
    ending = Path(path).suffix.lower()
    if ending in (".csv", ".tsv"):
        rows = _from_csv(text, "\t" if ending == ".tsv" else ",", header)
    elif ending in (".jsonl", ".ndjson", ".json"):
        rows = _from_json(str(path), text)
    else:
        rows = _from_conll(str(path), text)
    if not rows:
        raise InvalidArgumentError(f"{path}: no rows")
    return Table(str(path), tuple(rows))


def _from_csv(text: str, delimiter: str, header: bool | None) -> list[Row]:
    rows = [row for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter) if row]
    if not rows:
        return []
    names = [cell.strip() for cell in rows[0]]
    if header is None:
        header = bool(_NAMES & {name.lower() for name in names})
    if header:
        rows = rows[1:]
    else:
        names = [str(column) for column in range(max(map(len, rows)))]
    return [dict(zip(names, row, strict=False)) for row in rows]


def _from_json(path: str, text: str) -> list[Row]:
    try:
        whole = json.loads(text)
    except ValueError:
        return [_json_row(path, number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if isinstance(whole, dict) and isinstance(whole.get("data"), list):
        whole = whole["data"]
    rows = whole if isinstance(whole, list) else [whole]
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InvalidArgumentError(f"{path}: item {index} is a {type(row).__name__}, needed an object")
    return list(_squad_rows(rows)) if rows and "paragraphs" in rows[0] else rows


def _json_row(path: str, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InvalidArgumentError(f"{path}, line {number}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise InvalidArgumentError(f"{path}, line {number}: a {type(row).__name__}, needed an object")
    return row


def _squad_rows(articles: Iterable[Row]) -> Iterable[Row]:
    """SQuAD's own nesting: articles, paragraphs, questions."""
    for article in articles:
        for paragraph in article.get("paragraphs", ()):
            for question in paragraph.get("qas", ()):
                answers = question.get("answers") or ()
                yield {
                    "question": question.get("question"),
                    "context": paragraph.get("context"),
                    "answers": {name: [answer.get(name) for answer in answers] for name in ("text", "answer_start")},
                }


def _from_conll(path: str, text: str) -> list[Row]:
    rows: list[Row] = []
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if not line.strip():
            if tokens:
                rows.append({"tokens": tokens, "tags": tags})
            tokens, tags = [], []
            continue
        fields = line.rstrip("\r").split("\t") if "\t" in line else line.split()
        if len(fields) < 2:
            raise InvalidArgumentError(
                f"{path}, line {number}: {line.strip()[:40]!r} has one field, needed token and tag; "
                "other forms need the ending .jsonl, .json, .csv or .tsv"
            )
        if fields[0] != "-DOCSTART-":
            tokens.append(fields[0])
            tags.append(fields[-1].strip())
    return rows


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
    found = {role: _choose(table, role, named, usual, place) for role, named, usual, place in guesses}
    for role in ("text", "label"):
        if found[role] is None:
            raise InvalidArgumentError(
                f"{table.path}: no {role} column among {', '.join(table.columns)}; name it with --{role}-column"
            )
    return Columns(str(found["text"]), found["pair"], str(found["label"]))


def _choose(table: Table, role: str, named: str | None, usual: Sequence[str], place: str | None) -> str | None:
    if named is not None:
        if named not in table.columns:
            raise InvalidArgumentError(
                f"{table.path}: --{role}-column is {named!r}, the file has {', '.join(table.columns)}"
            )
        return named
    by_lower = {column.lower(): column for column in table.columns}
    return next((by_lower[name] for name in usual if name in by_lower), place)
