"""Vocabulary of a WordPiece tokenizer: tokens by id, and decoding of token ids to text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from linnet.errors import InputOutOfRangeError

__all__ = ["Vocabulary"]


class Vocabulary:
    """Vocabulary and decoder of a tokenizer of the compiled runtime.

    Args:
        tokenizer: a ``linnet_runtime.Tokenizer``.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __len__(self) -> int:
        return int(self._tokenizer.vocab_size)

    def token(self, token_id: int) -> str:
        """Return the token of an id, or "" if the id is unused.

        Raises:
            InputOutOfRangeError: the id is not in the vocabulary.
        """
        try:
            return str(self._tokenizer.token(token_id))
        except InputOutOfRangeError:
            if 0 <= token_id < len(self):
                return ""
            raise

    @property
    def marks_words(self) -> bool:
        """True if tokens that continue a word have a prefix such as "##"."""
        return bool(self._tokenizer.prefix)

    def continues_word(self, token_id: int) -> bool:
        """Return whether a token continues the word of the preceding token."""
        return bool(self._tokenizer.continues_word(token_id))

    @cached_property
    def ids(self) -> dict[str, int]:
        """Token ids by token."""
        return {token: token_id for token_id in range(len(self)) if (token := self.token(token_id))}

    def join(self, tokens: Iterable[str]) -> str:
        """Join tokens of the vocabulary to text, as the WordPiece decoder of ``tokenizers`` does."""
        return self.decode(self.ids[token] for token in tokens)

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """Decode ids to text; ids without a token are skipped, special tokens if ``skip_special`` is True."""
        return str(self._tokenizer.decode(list(ids), skip_special=skip_special))
