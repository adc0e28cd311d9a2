"""Names of the methods that a program has, from its flatbuffer: the runtime names only those that it is asked for."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

__all__ = ["method_names"]

# places in the vtables of ExecuTorch's schema/program.fbs: 4 bytes of sizes, then 2 for each field in order
_PROGRAM_PLANS = 4 + 2 * 1
_PLAN_NAME = 4 + 2 * 0


def method_names(path: str | Path) -> tuple[str, ...]:
    """Return the names of all methods, constant ones too, in the order of the program.

    Args:
        path: of a file that was loaded, so that its offsets are known to hold.

    Raises:
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return tuple(_names(data))


def _names(data: mmap.mmap) -> Iterator[str]:
    plans = _follow(data, _field(data, _follow(data, 0), _PROGRAM_PLANS))
    for number in range(_unsigned(data, plans)):
        name = _follow(data, _field(data, _follow(data, plans + 4 + 4 * number), _PLAN_NAME))
        yield data[name + 4 : name + 4 + _unsigned(data, name)].decode()


def _field(data: mmap.mmap, table: int, place: int) -> int:
    """Where a table keeps a field; both fields that are read here are always written."""
    (vtable,) = struct.unpack_from("<i", data, table)
    (offset,) = struct.unpack_from("<H", data, table - vtable + place)
    return table + int(offset)


def _follow(data: mmap.mmap, at: int) -> int:
    return at + _unsigned(data, at)


def _unsigned(data: mmap.mmap, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])
