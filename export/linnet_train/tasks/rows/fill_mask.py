"""Rows of fill-mask: documents of sentences, without labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.datasets import TEXT_COLUMNS, read_rows
from linnet_bench.accuracy.delimited import DelimitedFormat
from linnet_bench.accuracy.problems import Place, Problem, in_order
from linnet_bench.accuracy.row_files import utf8_bytes
from linnet_train.data.config import DataConfig
from linnet_train.data.rows import (
    Example,
    Examples,
    hold_out,
    is_text,
    of_file,
    overlap_note,
    shown,
    wrong_encoding,
)
from linnet_train.errors import BadDataError
from linnet_train.tasks.description import TaskDescription

__all__ = ["DESCRIPTION", "FEWEST_DOCUMENTS", "read_documents", "sentences"]

FEWEST_DOCUMENTS = 2
"""As many are needed, to train on one and to hold one out."""


def read(config: DataConfig, seed: int) -> Examples:
    """Read, check and split documents.

    A `.txt` file has a sentence a line and an empty line between documents; without empty lines each line is a
    document by itself. In other files each row is a document, with a sentence a line.
    """
    problems: list[Problem] = []
    rows = read_documents(config.train, config.text_column, problems, config.delimited)
    held_out = (
        read_documents(config.validation, config.text_column, problems, config.delimited) if config.validation else []
    )
    if not problems and not config.validation and len(rows) < FEWEST_DOCUMENTS:
        what = "one document, expected another to hold out (an empty line divides them), or --validation"
        problems.append(Problem(Place(str(config.train)), what))
    if problems:
        raise BadDataError(problems)
    notes = tuple(overlap_note(rows, held_out))
    if not held_out:
        rows, held_out = hold_out(rows, lambda row: row.text, config.validation_split, seed)
    return Examples(tuple(rows), tuple(held_out), (), None, notes)


def read_documents(
    path: Path, column: str | None, problems: list[Problem], delimited: DelimitedFormat | None = None
) -> list[Example]:
    """Return the documents of a file, as :func:`read` says; what is wrong is added to ``problems``."""
    wrong = wrong_encoding(path)
    if wrong:
        problems += wrong
        return []
    try:
        documents = _of_lines(path) if path.suffix.lower() == ".txt" else _of_rows(path, column, problems, delimited)
    except InvalidArgumentError as error:
        problems.append(of_file(path, error))
        return []
    examples = list(documents)
    if not examples and not problems:
        problems.append(Problem(Place(str(path)), "no text"))
    return examples


def _of_lines(path: Path) -> Iterable[Example]:
    documents: list[list[str]] = [[]]
    for line in utf8_bytes(path).decode().splitlines():
        if line.strip():
            documents[-1].append(line.strip())
        elif documents[-1]:
            documents.append([])
    whole = [document for document in documents if document]
    if len(whole) == 1:
        whole = [[line] for line in whole[0]]
    return [
        Example("\n".join(document), None, None, Place(str(path), number, "document"))
        for number, document in enumerate(whole, 1)
    ]


def _of_rows(
    path: Path, column: str | None, problems: list[Problem], delimited: DelimitedFormat | None
) -> Iterable[Example]:
    table, wrong = read_rows(path, delimited)
    if not table.rows:
        problems += wrong
        return []
    known = {name.lower(): name for name in table.columns}
    name = column or next((known[usual] for usual in TEXT_COLUMNS if usual in known), None)
    if name is None or name not in table.columns:
        raise InvalidArgumentError(f"{path}: no text among {', '.join(table.columns)}; name it with --text-column")
    documents = []
    for index, row in enumerate(table.rows):
        where = table.place(index)
        if is_text(row.get(name)):
            lines = [line.strip() for line in row[name].splitlines() if line.strip()]
            documents.append(Example("\n".join(lines), None, None, where))
        else:
            wrong.append(Problem(where, f"{name} is {shown(row.get(name))}, expected a text"))
    problems += in_order(wrong)
    return documents


def sentences(example: Example) -> list[str]:
    """Return the sentences of a document."""
    return example.text.split("\n")


DESCRIPTION = TaskDescription(
    name="fill-mask",
    metrics=("accuracy", "perplexity", "next_sentence_accuracy"),
    read=read,
    settings=frozenset({"masking"}),
    keeps=frozenset({"vocabulary", "embedding_size"}),  # a guess has one answer for each token
    why_kept=(
        "keeps its vocabulary and the width of its embeddings: leave out vocabulary and embedding_size, or use them "
        "in a later training for another task"
    ),
)
