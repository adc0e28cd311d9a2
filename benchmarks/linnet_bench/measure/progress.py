"""Progress line on a terminal."""

from __future__ import annotations

from typing import TextIO

from linnet.printable import printable, unescaped

__all__ = ["Progress"]


class Progress:
    """One line on a terminal, refreshed in place; without a terminal, one line per step."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()

    def say(self, text: str) -> None:
        """Show the current step."""
        shown = printable(text)
        if self._live:
            print(f"\r\x1b[K{shown} ...", end="", file=unescaped(self._stream), flush=True)
        else:
            print(shown, file=self._stream, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self._live:
            print("\r\x1b[K", end="", file=unescaped(self._stream), flush=True)
