"""Validation errors of input rows, with file and line, reported together."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence

from linnet.errors import InvalidArgumentError

__all__ = ["BadRowsError", "Place", "Problem", "describe", "in_order", "not_json"]

_SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Place:
    """A position in a file.

    Attributes:
        path: path of the file.
        number: number of the line or row, from 1; None: the file as a whole.
        kind: what the number counts: `line`, or `row` for a format without one row a line.
    """

    path: str
    number: int | None = None
    kind: str = "line"

    def __str__(self) -> str:
        return self.path if self.number is None else f"{self.path}, {self.kind} {self.number}"


@dataclasses.dataclass(frozen=True)
class Problem:
    """A validation error with its position."""

    place: Place
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class BadRowsError(InvalidArgumentError):
    """Rows of a file are invalid.

    Attributes:
        problems: one for each row, or for a whole file; the message shows the first 20, one a line.
    """

    multiline = True

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(describe(problems))
        self.problems = tuple(problems)


def describe(problems: Sequence[Problem]) -> str:
    """Return the problems in words: a sentence for one, else each file with a line for each of its first problems."""
    if len(problems) == 1:
        return str(problems[0])
    lines: list[str] = []
    left = _SHOWN
    for path in dict.fromkeys(problem.place.path for problem in problems):
        own = [problem for problem in problems if problem.place.path == path]
        shown = own[:left]
        left -= len(shown)
        lines += [f"{path}: {len(own)} problem{'' if len(own) == 1 else 's'}", *map(_indented, shown)]
        if len(own) > len(shown):
            lines.append(f"  and {len(own) - len(shown)} more")
    return "\n".join(lines)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems of a file in the order of its lines, those of the whole file first."""
    return sorted(problems, key=lambda problem: problem.place.number or 0)


def not_json(error: json.JSONDecodeError) -> str:
    """Return the error text for a line that is not JSON."""
    return f"not JSON: {error.msg} at character {error.colno}"


def _indented(problem: Problem) -> str:
    place = problem.place
    return f"  {problem.what}" if place.number is None else f"  {place.kind} {place.number}: {problem.what}"
