"""Warnings about truncated texts, shown at the line of the caller."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

__all__ = ["TruncationWarning", "warn_truncated", "warn_user"]

_PACKAGE = str(Path(__file__).parents[1])
_NAMED = 5  # largest number of positions that a warning lists


class TruncationWarning(UserWarning):
    """Texts were over the maximum length of the file and were truncated.

    Attributes:
        positions: index of each truncated text in the list of the call.
        max_length: the maximum length in tokens, including special tokens.
    """

    def __init__(self, positions: Sequence[int], total: int, max_length: int) -> None:
        self.positions = tuple(positions)
        self.max_length = max_length
        named = ", ".join(map(str, self.positions[:_NAMED]))
        more = ", ..." if len(self.positions) > _NAMED else ""
        which = f" (positions {named}{more})" if total > 1 else ""
        verb = "was" if len(self.positions) == 1 else "were"
        super().__init__(
            f"{len(self.positions)} of {total} text{'s' if total > 1 else ''} {verb} cut at "
            f"{max_length} tokens, special tokens included{which}; truncation=False makes it an error"
        )


def warn_truncated(positions: Sequence[int], total: int, max_length: int) -> None:
    """Emit one :class:`TruncationWarning` if there are any positions."""
    if positions:
        warn_user(TruncationWarning(positions, total, max_length))


def warn_user(warning: Warning) -> None:
    """Emit a warning whose location is the innermost stack frame outside of the package linnet."""
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(warning, stacklevel=level)
