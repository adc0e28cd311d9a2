"""Console output: aligned text, or tables of ``rich`` if it is installed and the output is a terminal."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import Literal, TextIO

from linnet.printable import escaping, printable, unescaped

__all__ = ["Console", "cell_width", "counted", "plain_table", "shorten"]


def cell_width(text: str) -> int:
    """Return the width of a text in terminal columns: two for a wide character, none for a combining mark."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def shorten(text: str, width: int) -> str:
    """Shorten a text to one line of at most ``width`` columns, with an ellipsis at the end if it was cut."""
    line = " ".join(text.split())
    if cell_width(line) <= width:
        return line
    kept = ""
    for character in line:
        if cell_width(kept + character) > width - 1:
            break
        kept += character
    return kept + "…"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 thread", "2 threads"; ``plural`` if it is not the noun with an s."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Format a table with aligned columns, two spaces apart, and a rule under the headers.

    Args:
        headers: header of each column; without headers there is no rule.
        rows: cells of each row.
        right: indices of the columns to align to the right.
    """
    lines = [list(headers), *map(list, rows)] if headers else [list(row) for row in rows]
    widths = [max(map(cell_width, column)) for column in zip(*lines, strict=True)]
    if headers:
        lines.insert(1, ["-" * width for width in widths])
    return "\n".join(_aligned(cells, widths, right) for cells in lines)


def _aligned(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - cell_width(cell))
        padded.append(space + cell if column in right else cell + space)
    return "  ".join(padded).rstrip()


class Console:
    """Output of text, headings, fields and tables to a stream; control characters are escaped."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = escaping(sys.stdout if stream is None else stream)
        self._rich = _wants_rich(self._stream)

    def line(self, text: str = "") -> None:
        """Write one line."""
        print(text, file=self._stream, flush=True)

    def heading(self, text: str) -> None:
        """Write an empty line and a heading."""
        self.line()
        if self._rich:
            print(f"\x1b[1m{printable(text)}\x1b[0m", file=unescaped(self._stream), flush=True)
        else:
            self.line(text)

    def fields(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Write names and values in two columns."""
        if pairs:
            self.line(plain_table((), pairs))

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
        """Write a table; ``right`` are the indices of the columns to align to the right."""
        if not self._rich:
            self.line(plain_table(headers, rows, right))
            return
        import rich.console
        import rich.table
        import rich.text

        table = rich.table.Table(box=None, pad_edge=False, header_style="bold")
        for column, header in enumerate(headers):
            justify: Literal["left", "right"] = "right" if column in right else "left"
            table.add_column(rich.text.Text(printable(header)), justify=justify, overflow="fold")
        for row in rows:
            # Text, so that rich does not read brackets in a cell as markup
            table.add_row(*(rich.text.Text(printable(cell)) for cell in row))
        rich.console.Console(file=unescaped(self._stream)).print(table)


def _wants_rich(stream: TextIO) -> bool:
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        import rich  # noqa: F401
    except ImportError:
        return False
    return True
