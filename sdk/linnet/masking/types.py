"""Table of the types of personal data that patterns find."""

from __future__ import annotations

import dataclasses
import functools

from linnet.runtime import core

__all__ = ["TypeInfo", "pattern_types"]


@dataclasses.dataclass(frozen=True)
class TypeInfo:
    """A type of the table in the core.

    Attributes:
        type: its name.
        group: name of the group that it belongs to, or empty.
        checked_by: what must hold besides the form.
        needs_word: some or all of its written forms count only with a word near that says what they are.
    """

    type: str
    group: str
    checked_by: str
    needs_word: bool


@functools.cache
def pattern_types() -> tuple[TypeInfo, ...]:
    """Return every type that patterns find.

    Raises:
        BuildError: the compiled runtime is missing.
    """
    return tuple(TypeInfo(*row) for row in core().mask_types())
