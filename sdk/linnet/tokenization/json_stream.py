"""Streaming decode of tokenizers of the kind ``tokenizers``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from linnet.errors import InputOutOfRangeError

__all__ = ["JsonTextStream", "Step"]

Step: TypeAlias = Callable[[int], str]
"""Takes the next id of a text and returns the text that is new."""


class JsonTextStream:
    """Text of tokens that come one after the other, by the stream of another package.

    Args:
        begin: begins a text.
        decode: decodes all ids of a text.
        size: number of ids in the vocabulary.
    """

    def __init__(self, begin: Callable[[], Step], decode: Callable[[list[int]], str], size: int) -> None:
        self._begin, self._decode, self._size = begin, decode, size
        self._restart()

    def _restart(self) -> None:
        self._step = self._begin()
        self._ids: list[int] = []
        self._given = 0  # characters of the text

    def push(self, token_id: int) -> str:
        """Return the text that is new with this token.

        Raises:
            InputOutOfRangeError: the id is not in the vocabulary.
        """
        if not 0 <= token_id < self._size:
            raise InputOutOfRangeError(
                f"token id {token_id} is outside of a vocabulary of {self._size}; pass ids of this tokenizer"
            )
        self._ids.append(token_id)
        text = self._step(token_id)
        self._given += len(text)
        return text

    def finish(self) -> str:
        """Return the rest of the text, behind what :meth:`push` returned; the next token begins another text."""
        rest = self._decode(self._ids)[self._given :]
        self._restart()
        return rest
