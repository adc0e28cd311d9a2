"""Text of files, devices and strangers as it can be shown on a terminal: control characters as escapes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

__all__ = ["escaped_output", "escaping", "printable", "unescaped"]

# all control characters except tab and newline, line separators, and the marks that reorder what is shown
_CONTROLS = (*range(9), *range(11, 32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = {code: f"\\u{code:04x}" for code in _CONTROLS}


def printable(text: str) -> str:
    """Return a text with control characters as ``\\u001b``, which is also how JSON writes them in a string."""
    return text if text.isprintable() else text.translate(_ESCAPES)


class _Escaping:
    """Text stream that writes to another one what :func:`printable` makes of a text."""

    def __init__(self, stream: TextIO) -> None:
        self.unescaped = stream

    def write(self, text: str) -> int:
        self.unescaped.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unescaped, name)


def escaping(stream: TextIO) -> TextIO:
    """Return a stream that escapes control characters and writes to ``stream``."""
    return stream if isinstance(stream, _Escaping) else cast(TextIO, _Escaping(stream))


def unescaped(stream: TextIO) -> TextIO:
    """Return the stream behind one that escapes, for linnet's own control characters."""
    return stream.unescaped if isinstance(stream, _Escaping) else stream


@contextlib.contextmanager
def escaped_output() -> Iterator[None]:
    """Let standard output and standard error escape control characters inside the block."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(escaping, before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
