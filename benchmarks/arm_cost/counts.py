"""The plugin's lines, and the cost of one inference in them: pure text and numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

__all__ = ["Cost", "Memory", "costs", "read_marks"]

_LINE = 64  # bytes
_MARKS = 3  # of a length: before, after no inference, after one

Marks = Mapping[int, Mapping[str, int]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes that one inference reads and writes.

    Attributes:
        loaded, stored: moved by loads and stores, most of them from and to a cache.
        only_read: in the lines of 64 bytes that were read and not written: weights, packed or not, and tables.
        read_first: in those that were read and later written.
        written_first: in those that were written before they were read: activations.
    """

    loaded: int
    stored: int
    only_read: int
    read_first: int
    written_first: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """What one inference executes and touches.

    Attributes:
        instructions: all of them.
        kinds: of these, by the kinds of plugin/count.c: dot, matrix, widening, pairwise, float, memory, scalable.
        memory: what was read and written, if that was counted.
    """

    instructions: int
    kinds: Mapping[str, int]
    memory: Memory | None = None


def read_marks(text: str) -> dict[int, dict[str, int]]:
    """Return the counts of each mark.

    Raises:
        ValueError: a line is not ``mark NUMBER NAME=COUNT ...``, or a mark was set twice.
    """
    marks: dict[int, dict[str, int]] = {}
    for line in text.splitlines():
        word, number, *pairs = line.split()
        if word != "mark" or int(number) in marks:
            raise ValueError(f"not a line of the plugin, or a second one: {line!r}")
        names = (pair.split("=") for pair in pairs)
        marks[int(number)] = {name: int(count) for name, count in names}
    return marks


def costs(marks: Marks, lengths: int) -> list[Cost]:
    """Return the cost of an inference of each length: what one took more than none.

    Args:
        marks: of :func:`read_marks`, three of each length.
        lengths: their number.

    Raises:
        ValueError: there are fewer or more marks.
    """
    if sorted(marks) != list(range(_MARKS * lengths)):
        raise ValueError(f"{len(marks)} marks of {lengths} lengths, expected {_MARKS} of each")
    return [_cost(*(marks[_MARKS * number + i] for i in range(_MARKS))) for number in range(lengths)]


def _cost(before: Mapping[str, int], none: Mapping[str, int], one: Mapping[str, int]) -> Cost:
    # counts go on from mark to mark; lines begin anew at each of them, and are those of the single inference
    more = {name: one[name] - 2 * none[name] + before[name] for name in before if not name.startswith("lines_")}
    known = {"instructions", "bytes_loaded", "bytes_stored"}
    return Cost(
        instructions=more["instructions"],
        kinds={name: count for name, count in more.items() if name not in known},
        memory=_memory(more, one) if "bytes_loaded" in more else None,
    )


def _memory(more: Mapping[str, int], one: Mapping[str, int]) -> Memory:
    return Memory(
        loaded=more["bytes_loaded"],
        stored=more["bytes_stored"],
        only_read=_LINE * one["lines_only_read"],
        read_first=_LINE * one["lines_read_first"],
        written_first=_LINE * one["lines_written_first"],
    )
