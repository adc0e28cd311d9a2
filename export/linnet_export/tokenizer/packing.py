"""Numbers, blocks and strings of the bytes that the compiled core reads of a tokenizer."""

from __future__ import annotations

import struct
from collections.abc import Iterable

__all__ = ["bits", "block", "numbers", "string"]


def numbers(*values: int) -> bytes:
    """Return little-endian uint32 numbers."""
    return struct.pack(f"<{len(values)}I", *values)


def block(content: bytes) -> bytes:
    """Return a size in bytes and the content."""
    return numbers(len(content)) + content


def string(text: str) -> bytes:
    """Return a string as the block of its UTF-8."""
    return block(text.encode())


def bits(flags: Iterable[bool]) -> int:
    """Return the number whose bits are the flags, the first the lowest."""
    return sum(1 << position for position, flag in enumerate(flags) if flag)
