"""Word lists and templates of the generated documents, each word in one of three parts.

The files in `words/` were written for linnet. They have sections, `[name]`, of words separated by commas and line
ends, or of one template a line; a line that begins with `#` is a comment.
"""

from __future__ import annotations

import enum
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["Part", "entries", "read_sections", "templates"]

_FOLDER = Path(__file__).with_name("words")


class Part(enum.Enum):
    """A part of the words: what is trained on, what chooses the epoch, and what is only measured."""

    TRAIN = "train"
    VALIDATION = "validation"
    HELD_OUT = "held-out"

    @staticmethod
    def of(word: str) -> Part:
        """Return the part of a word or of a name of several words: the same in every list, in every case.

        A tenth is for validation and a fifth is held out, by a hash: a word that is added moves no other.
        """
        number = int.from_bytes(hashlib.sha256(word.casefold().encode()).digest()[:4], "big") % 10
        return Part.HELD_OUT if number < 2 else Part.VALIDATION if number == 2 else Part.TRAIN


@functools.cache
def read_sections(file: str) -> Mapping[str, tuple[str, ...]]:
    """Read the lines of each section of a file in `words/`.

    Raises:
        ValueError: a line stands before the first section.
    """
    sections: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in (_FOLDER / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1], [])
        elif lines is None:
            raise ValueError(f"{file}: expected a section before {line!r}")
        else:
            lines.append(line)
    return {name: tuple(found) for name, found in sections.items()}


@functools.cache
def entries(file: str, sections: tuple[str, ...] = (), part: Part | None = None) -> tuple[str, ...]:
    """Return the words of a file.

    Args:
        file: its name in `words/`.
        sections: of these sections; none: of all.
        part: only the words of this part.
    """
    found = read_sections(file)
    lines = [line for name in sections or found for line in found[name]]
    words = dict.fromkeys(word.strip() for line in lines for word in line.split(",") if word.strip())
    return tuple(word for word in words if part is None or Part.of(word) is part)


def templates(part: Part) -> Mapping[str, Sequence[str]]:
    """Return the templates by register; those of the held-out documents are others than those of training."""
    file = "templates_held_out.txt" if part is Part.HELD_OUT else "templates.txt"
    return {name: tuple(line.replace("\\n", "\n").replace("\\t", "\t") for line in lines)
            for name, lines in read_sections(file).items()}  # fmt: skip
