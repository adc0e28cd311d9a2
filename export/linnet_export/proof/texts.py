"""Texts of a proof: the built-in set, or a file of the user."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from importlib import resources
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.problems import BadRowsError, Place, Problem, not_json
from linnet_bench.accuracy.row_files import utf8_bytes
from linnet_export.errors import ProofTextsError
from linnet_export.tasks import Task

__all__ = ["BadTextsError", "ProofText", "read_texts", "select_texts"]

_FEWEST = 4  # with fewer texts a share such as 98 % has no meaning


@dataclasses.dataclass(frozen=True)
class ProofText:
    """One text, or a pair: (question, context) or (query, passage)."""

    text: str
    pair: str | None = None


class BadTextsError(ProofTextsError, BadRowsError):
    """Lines of the file are not valid texts; the message lists them."""


def read_texts(path: Path | None) -> list[ProofText]:
    """Read the texts of a file, or the built-in set if ``path`` is None.

    The file has JSON lines with `text` and an optional `pair` (.jsonl, .json), or is CSV without a header, with the
    text in the first column and, unless it is a number, the pair in the second (.csv), or has one text per line, with
    a tab between the texts of a pair.

    Raises:
        ProofTextsError: the file cannot be read.
        BadTextsError: lines of the file have a wrong form; the message lists them.
    """
    try:
        default = resources.files("linnet_export.proof").joinpath("default_texts.jsonl")
        text = default.read_text(encoding="utf-8") if path is None else utf8_bytes(path).decode()
    except InvalidArgumentError as error:
        raise ProofTextsError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ProofTextsError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    if path is None or path.suffix in (".jsonl", ".json"):
        return _from_json_lines(text, path)
    if path.suffix == ".csv":
        return [_from_row(row) for row in csv.reader(io.StringIO(text, newline="")) if row]
    return [_from_line(line) for line in text.splitlines() if line.strip()]


def _from_json_lines(text: str, path: Path | None) -> list[ProofText]:
    texts, problems = [], []
    # not splitlines(), which also splits at separators that JSON strings may contain unescaped
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            texts.append(_from_json(line))
        except ValueError as error:
            problems.append(Problem(Place(str(path), number), str(error)))
    if problems:
        raise BadTextsError(problems)
    return texts


def _from_json(line: str) -> ProofText:
    """Parse the text of a JSON line; raise a ValueError that describes the problem."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(not_json(error)) from error
    pair = row.get("pair") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not isinstance(pair, str | None):
        raise ValueError('expected an object with "text" and optionally "pair", both strings')
    return ProofText(row["text"], pair)


def _from_row(row: list[str]) -> ProofText:
    second = row[1] if len(row) > 1 else ""
    return ProofText(row[0], None if not second or _is_number(second) else second)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _from_line(line: str) -> ProofText:
    first, tab, second = line.partition("\t")
    return ProofText(first, second if tab else None)


def select_texts(texts: list[ProofText], task: Task, mask_token: str = "", *, pairs: bool = True) -> list[ProofText]:
    """Return the texts that fit a task; for fill-mask, with one word of each masked.

    Args:
        texts: candidates.
        task: the task, which takes single texts, pairs or both.
        mask_token: the tokenizer's mask token.
        pairs: False leaves pairs out although the task takes them, as the model cannot read any.

    Raises:
        ProofTextsError: fewer than four texts fit.
    """
    if task.needs_pairs:
        chosen = [text for text in texts if text.pair is not None]
    elif task.takes_pairs and pairs:
        chosen = list(texts)
    else:
        chosen = [text for text in texts if text.pair is None]
    if task.fills_masks and mask_token:
        chosen = [ProofText(_masked(text.text, mask_token)) for text in chosen]
    if len(chosen) < _FEWEST:
        kind = "pairs" if task.needs_pairs else "texts"
        raise ProofTextsError(
            f"expected at least {_FEWEST} {kind} that fit {task.name}, got {len(chosen)}; add some to the file"
        )
    return chosen


def _masked(text: str, mask_token: str) -> str:
    if mask_token in text:
        return text
    words = text.split()[:24]  # near the start, so that truncation keeps the mask
    if not words:
        return mask_token
    words[len(words) // 2] = mask_token
    return " ".join(words)
