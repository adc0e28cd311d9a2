"""Arrays and hash tables of the tables, as format.h and hash.h of the core read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import numbers

__all__ = ["MAX_IDS", "NONE", "array", "hash_pairs", "hash_texts", "slots"]

NONE = 0xFFFFFFFF
"""Number for no id."""

MAX_IDS = (1 << 24) - 1
"""Most ids of a vocabulary and most merges: a slot has 24 bits for them."""

_SPREAD = np.uint64(11400714819323198485)
_FULLNESS = 1.5  # slots for an entry: searches stay short, and the table is a third free

Hashes = npt.NDArray[np.uint64]


def array(values: Sequence[int] | npt.NDArray[np.integer]) -> bytes:
    """Return a count and its numbers."""
    return numbers(len(values)) + np.asarray(values, dtype="<u4").tobytes()


def _mix(hashes: Hashes, words: Hashes) -> Hashes:
    with np.errstate(over="ignore"):
        mixed = (hashes ^ words) * _SPREAD
    return mixed ^ (mixed >> np.uint64(32))


def hash_texts(texts: Sequence[bytes]) -> Hashes:
    """Return the hash of each text: uint64 [texts]."""
    sizes = np.array([len(text) for text in texts], dtype=np.int64)
    with np.errstate(over="ignore"):
        hashes = sizes.astype(np.uint64) * _SPREAD
    for at in range(0, int(sizes.max(initial=0)), 8):
        rows = np.flatnonzero(sizes > at)
        words = b"".join(texts[row][at : at + 8].ljust(8, b"\0") for row in rows.tolist())
        hashes[rows] = _mix(hashes[rows], np.frombuffer(words, dtype="<u8"))
    return hashes


def hash_pairs(left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> Hashes:
    """Return the hash of each pair of ids: uint64 [pairs]."""
    words = left.astype(np.uint64) | (right.astype(np.uint64) << np.uint64(32))
    return _mix(np.zeros(len(words), dtype=np.uint64), words)


def slots(entries: Sequence[int] | npt.NDArray[np.integer], hashes: Hashes) -> bytes:
    """Return the array of the slots of a hash table.

    Args:
        entries: number of each entry, below :data:`MAX_IDS`.
        hashes: hash of each entry.
    """
    if len(entries) and max(entries) >= MAX_IDS:
        raise unsupported_part(f"entry {max(entries)} of a table", f"entries below {MAX_IDS}")
    count = int(len(entries) * _FULLNESS) + 1
    table = [0] * count
    homes = ((hashes >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)
    tags = hashes & np.uint64(0xFF)
    for entry, home, tag in zip(np.asarray(entries).tolist(), homes.tolist(), tags.tolist(), strict=True):
        at = home
        while table[at]:
            at = at + 1 if at + 1 < count else 0
        table[at] = tag << 24 | (entry + 1)
    return array(table)
