"""Double array of the tokens of a vocabulary, as ``models/unigram.cpp`` of the core reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["double_array"]

_USED, _WHOLE = 1 << 30, 1 << 31
_BLOCK = 256
"""Units among which the children of a unit lie."""

_TRIES = 32
"""Free places that are tried before a new block is taken: the array is made in linear time."""

_NEWEST = 8
"""Blocks at the end, in which places are tried too."""


@dataclasses.dataclass(frozen=True)
class _Node:
    """A beginning that several tokens share.

    Attributes:
        labels: next bytes of the tokens, in ascending order.
        children: what they lead to: the number of a node, -1 for a token that no other one goes on like; and the
            value of its unit.
    """

    labels: list[int]
    children: list[tuple[int, int]]


def double_array(tokens: Mapping[bytes, int]) -> npt.NDArray[np.uint32]:
    """Return the units, uint32 [units, 2].

    Args:
        tokens: id of each token, which is not empty.
    """
    nodes = _nodes(sorted(tokens.items()))
    places = _Places()
    bases = [0] * len(nodes)
    # the holes that those with many children leave are filled by those with few
    for number in sorted(range(len(nodes)), key=lambda number: -len(nodes[number].labels)):
        bases[number] = places.place(nodes[number].labels)
    units = np.zeros((len(places), 2), dtype=np.uint32)
    units[0] = bases[0] << 8, _USED
    for node, base in zip(nodes, bases, strict=True):
        for label, (child, value) in zip(node.labels, node.children, strict=True):
            own = 0 if child < 0 else bases[child] << 8
            units[base ^ label] = own | label, value | _USED
    return units


def _nodes(tokens: Sequence[tuple[bytes, int]]) -> list[_Node]:
    """Return the nodes, the root first."""
    nodes: list[_Node] = []
    # of a node that is to be made: its tokens and how many bytes they share
    waiting = [(0, len(tokens), 0)]
    while len(nodes) < len(waiting):
        begin, end, depth = waiting[len(nodes)]
        begin += len(tokens[begin][0]) == depth  # the token that ends here is the value of its unit
        labels: list[int] = []
        children: list[tuple[int, int]] = []
        while begin < end:
            label = tokens[begin][0][depth]
            stop = begin + 1
            while stop < end and tokens[stop][0][depth] == label:
                stop += 1
            labels.append(label)
            if stop - begin == 1:
                children.append((-1, (tokens[begin][1] + 1) | _WHOLE))
            else:
                first, first_id = tokens[begin]
                children.append((len(waiting), first_id + 1 if len(first) == depth + 1 else 0))
                waiting.append((begin, stop, depth + 1))
            begin = stop
        nodes.append(_Node(labels, children))
    return nodes


class _Places:
    """Places of the units, and which are used."""

    def __init__(self) -> None:
        self._used, self._taken = bytearray(_BLOCK), bytearray(_BLOCK)  # units, and bases
        self._used[0] = 1  # the root
        self._hint, self._count = 1, 0

    def __len__(self) -> int:
        return len(self._used)

    def place(self, labels: Sequence[int]) -> int:
        """Take places for the children of a node and return its base. Nodes come by falling number of children."""
        if len(labels) != self._count:
            self._hint, self._count = 1, len(labels)
        self._hint, found = self._search(self._hint, labels)  # what was tried is too full for as many children
        place = self._hint
        if not found:
            place, found = self._search(max(place, len(self) - _NEWEST * _BLOCK), labels)
        if not found:
            place = len(self) ^ labels[0]
            self._used += bytearray(_BLOCK)
            self._taken += bytearray(_BLOCK)
        base = place ^ labels[0]
        for label in labels:
            self._used[base ^ label] = 1
        self._taken[base] = 1
        return base

    def _search(self, place: int, labels: Sequence[int]) -> tuple[int, bool]:
        """Return a free place for the first child from ``place`` on, and whether the others fit then."""
        for _ in range(_TRIES):
            place = self._used.find(0, place)
            if place < 0:
                return len(self), False
            base = place ^ labels[0]
            if not self._taken[base] and not any(self._used[base ^ label] for label in labels):
                return place, True
            place += 1
        return place, False
