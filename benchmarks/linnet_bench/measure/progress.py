"""Progress line on a terminal."""

from __future__ import annotations

from typing import TextIO

__all__ = ["Progress"]


class Progress:
    """One line on a terminal, refreshed in place; without a terminal, one line per step."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()

    def say(self, text: str) -> None:
        """Show the current step."""
        print(f"\r\x1b[K{text} ..." if self._live else text, end="" if self._live else "\n", file=self._stream)
        self._stream.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._live:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
