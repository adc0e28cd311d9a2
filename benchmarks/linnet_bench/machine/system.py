"""Readers of system files; what a platform does not provide is an empty text or None, never an error."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["as_number", "distinct", "numbers_in", "text_of"]


def text_of(path: Path) -> str:
    """Return the text of a system file, or "" if it does not exist or is not readable."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def as_number(text: str) -> float | None:
    """Return the number in a text, None if it is not a number."""
    try:
        return float(text)
    except ValueError:
        return None


def numbers_in(paths: Iterable[Path]) -> list[float]:
    """Return the numbers in those files that contain one."""
    return [value for value in (as_number(text_of(path)) for path in paths) if value is not None]


def distinct(items: Iterable[str]) -> tuple[str, ...]:
    """Return the texts that are not empty, each once, in their order."""
    return tuple(dict.fromkeys(item for item in items if item))
