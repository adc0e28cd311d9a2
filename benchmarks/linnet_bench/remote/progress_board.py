"""Progress display for several devices: a line for each, refreshed in place on a terminal."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from typing import TextIO

from linnet.cli.console import cell_width, shorten
from linnet.printable import printable, unescaped

__all__ = ["ProgressBoard"]


class ProgressBoard:
    """Shows the current step of each device; its methods may be called from any thread."""

    def __init__(self, names: Sequence[str], stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._lock = threading.Lock()  # each device reports from a thread of its own
        self._doing = dict.fromkeys(names, "")
        self._width = max(map(cell_width, names))
        self._drawn = 0

    def say(self, name: str, text: str) -> None:
        """Show the current step of a device."""
        with self._lock:
            if self._doing[name] == text:
                return
            before, self._doing[name] = self._doing[name], text
            if self._live:
                self._draw()
            elif not _same_step(before, text):
                print(f"{name}: {text}", file=self._stream, flush=True)

    def end(self) -> None:
        """Clear the lines."""
        with self._lock:
            if self._live and self._drawn:
                print(f"\x1b[{self._drawn}A\x1b[J", end="", file=unescaped(self._stream), flush=True)
                self._drawn = 0

    def _draw(self) -> None:
        columns = shutil.get_terminal_size().columns
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        lines = [self._line(name, text, columns) for name, text in self._doing.items()]
        print(up + "".join(f"\r\x1b[K{line}\n" for line in lines), end="", file=unescaped(self._stream), flush=True)
        self._drawn = len(lines)

    def _line(self, name: str, text: str, columns: int) -> str:
        indent = " " * (self._width + 2 - cell_width(name))
        return printable(name) + indent + shorten(printable(text), max(1, columns - self._width - 3))


def _same_step(before: str, text: str) -> bool:
    """Return whether only a percentage changed, which is not printed again where lines are not refreshed."""
    return "%" in text and before.partition(",")[0] == text.partition(",")[0]
