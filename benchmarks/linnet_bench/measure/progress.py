"""What is being done now, for people who wait."""

from __future__ import annotations

from typing import TextIO

__all__ = ["Progress"]


class Progress:
    """One line on a terminal, refreshed in place; elsewhere one line for each step."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()

    def say(self, text: str) -> None:
        """Show what is being measured now."""
        print(f"\r\x1b[K{text} ..." if self._live else text, end="" if self._live else "\n", file=self._stream)
        self._stream.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._live:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
