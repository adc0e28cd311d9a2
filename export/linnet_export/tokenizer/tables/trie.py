"""Double array of the tokens of a vocabulary, as ``models/unigram.cpp`` of the core reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["double_array"]

_USED, _WHOLE = 1 << 30, 1 << 31
_BLOCK = 256
"""Units among which the children of a unit lie."""

_ROUNDS = 12
"""Times that free places are tried for all nodes with as many children, before new blocks are taken."""

_STEP = 7919
"""By how many free places a round begins behind the one before; a prime, so that rounds meet other pairs."""

_SHOWN = 2
"""Bytes of the rest of a token that its unit has, so that a text that goes on in another way is known at once."""

_MOST_COUNTED = 254

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class _Edges:
    """Steps from the beginnings that several tokens share, called nodes, by one byte: int64 [steps] each.

    Attributes:
        nodes: number of the node that a step leaves, in ascending order; 0 is the empty beginning.
        labels: the byte, in ascending order for each node.
        children: number of the node that it leads to, -1 if no second token goes on like this one.
        values: second number of the unit that it leads to, but for the mark that it is used.
        ends: what the first number of that unit has instead of a base, if it leads to no node.
    """

    nodes: Numbers
    labels: Numbers
    children: Numbers
    values: Numbers
    ends: Numbers


def double_array(tokens: Sequence[bytes]) -> npt.NDArray[np.uint32]:
    """Return the units, uint32 [units, 2].

    Args:
        tokens: the tokens, each once and none of them empty; the id of a token is its place.
    """
    levels = list(_levels(tokens))
    edges = _Edges(*(np.concatenate(parts) for parts in zip(*map(dataclasses.astuple, levels), strict=True)))
    places = _Places()
    bases = places.place_all(edges.nodes, edges.labels)
    own = np.where(edges.children < 0, edges.ends, bases[edges.children]) << 8
    units = np.zeros((len(places), 2), dtype=np.uint32)
    units[0] = bases[0] << 8, _USED
    units[bases[edges.nodes] ^ edges.labels] = np.stack([own | edges.labels, edges.values | _USED], axis=1)
    return units


def _levels(tokens: Sequence[bytes]) -> Iterator[_Edges]:
    """Yield the steps from the nodes of each depth, the empty beginning first."""
    ids = np.array(sorted(range(len(tokens)), key=tokens.__getitem__), dtype=np.int64)
    sizes = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    starts = (np.cumsum(sizes) - sizes)[ids]
    sizes = sizes[ids]
    pool = np.frombuffer(b"".join(tokens) + bytes(_SHOWN), dtype=np.uint8)
    left = np.arange(len(tokens))  # tokens that share their beginning with another one
    nodes, known, depth = np.zeros_like(left), 1, 0
    while True:
        longer = sizes[left] > depth
        left, nodes = left[longer], nodes[longer]
        if not len(left):
            return
        labels = pool[starts[left] + depth].astype(np.int64)
        firsts = np.flatnonzero(np.diff(nodes * _BLOCK + labels, prepend=-1))
        counts = np.diff(firsts, append=len(left))
        several, heads = counts > 1, left[firsts]
        children = np.where(several, known + np.cumsum(several) - 1, -1)
        ends_here = sizes[heads] == depth + 1
        values = np.where(several, np.where(ends_here, ids[heads] + 1, 0), (ids[heads] + 1) | _WHOLE)
        rests = np.where(several, 0, sizes[heads] - depth - 1)
        ends = np.where(several, 0, _ends(pool, starts[heads] + depth + 1, rests))
        yield _Edges(nodes[firsts], labels[firsts], children, values, ends)
        known += int(several.sum())
        shared = np.repeat(several, counts)
        left, nodes, depth = left[shared], np.repeat(children, counts)[shared], depth + 1


def _ends(pool: npt.NDArray[np.uint8], starts: Numbers, sizes: Numbers) -> Numbers:
    """Return the number that shows the first bytes of ``pool[start : start + size]`` and how many there are."""
    numbers = np.minimum(sizes, _MOST_COUNTED) + 1 << 8 * _SHOWN
    for at in range(_SHOWN):
        numbers |= np.where(sizes > at, pool[starts + at], 0).astype(np.int64) << 8 * at
    return numbers


class _Places:
    """Places of the units, and which are used."""

    def __init__(self) -> None:
        self._used, self._taken = (np.zeros(_BLOCK, dtype=bool) for _ in range(2))  # units, and bases
        self._used[0] = True  # the root
        self._owners = np.zeros(_BLOCK, dtype=np.int64)  # scratch

    def __len__(self) -> int:
        return len(self._used)

    def place_all(self, nodes: Numbers, labels: Numbers) -> Numbers:
        """Take places for the children of all nodes and return the bases of the nodes: int64 [nodes].

        Args:
            nodes: the node that each child belongs to, in ascending order: int64 [children].
            labels: the byte that leads to it: int64 [children].
        """
        firsts = np.flatnonzero(np.diff(nodes, prepend=-1))
        counts = np.diff(firsts, append=len(nodes))
        bases = np.zeros(len(firsts), dtype=np.int64)
        # the holes that those with many children leave are filled by those with few
        for count in sorted(set(counts.tolist()), reverse=True):
            alike = np.flatnonzero(counts == count)
            bases[alike] = self._place(labels[firsts[alike, None] + np.arange(count)])
        return bases

    def _place(self, labels: Numbers) -> Numbers:
        """Take places for nodes with the same number of children: ``labels`` [nodes, children]."""
        bases = np.zeros(len(labels), dtype=np.int64)
        left, fresh = np.arange(len(labels)), 0
        while len(left):
            for turn in range(_ROUNDS):
                free = fresh + np.flatnonzero(~self._used[fresh:])
                if not len(left) or not len(free):
                    break
                tried = left[: len(free)]
                firsts = free[(np.arange(len(tried)) * labels.shape[1] + turn * _STEP) % len(free)]
                found = firsts ^ labels[tried, 0]
                fits = self._take(found, labels[tried])
                bases[tried[fits]] = found[fits]
                left = np.concatenate([tried[~fits], left[len(free) :]])
            fresh = self._grow(len(left) * labels.shape[1])
        return bases

    def _take(self, bases: Numbers, labels: Numbers) -> Flags:
        """Take the places of those nodes that fit and do not get in each other's way, and return which they are."""
        places = bases[:, None] ^ labels
        fits = ~self._taken[bases] & ~self._used[places].any(axis=1)
        # of several that want a place or a base, the last one notes itself
        numbers = np.flatnonzero(fits)
        for wanted in (bases[:, None], places):
            self._owners[wanted[numbers]] = numbers[:, None]
            numbers = numbers[(self._owners[wanted[numbers]] == numbers[:, None]).all(axis=1)]
        fits = np.zeros(len(bases), dtype=bool)
        fits[numbers] = True
        self._used[places[fits]] = True
        self._taken[bases[fits]] = True
        return fits

    def _grow(self, children: int) -> int:
        """Add blocks for so many children, if any, and return where they begin."""
        before = len(self)
        added = -(-children // _BLOCK) * _BLOCK
        self._used, self._taken = (
            np.concatenate([flags, np.zeros(added, dtype=bool)]) for flags in (self._used, self._taken)
        )
        self._owners = np.zeros(len(self), dtype=np.int64)
        return before
