"""Vocabulary of a WordPiece tokenizer: token ids back to text, for answers that show tokens."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from linnet.errors import InputOutOfRangeError

__all__ = ["Vocabulary"]


class Vocabulary:
    """Tokens by id, and the text of tokens, as the compiled tokenizer has them.

    Args:
        tokenizer: a ``linnet_runtime.Tokenizer``.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __len__(self) -> int:
        return int(self._tokenizer.vocab_size)

    def token(self, token_id: int) -> str:
        """Return the token of an id, "" if the id is unused.

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
        """True if tokens that continue a word have a prefix of their own ("##")."""
        return bool(self._tokenizer.prefix)

    def continues_word(self, token_id: int) -> bool:
        """Return whether the token continues the word of the token before it."""
        return bool(self._tokenizer.continues_word(token_id))

    @cached_property
    def ids(self) -> dict[str, int]:
        """Id by token."""
        return {token: token_id for token_id in range(len(self)) if (token := self.token(token_id))}

    def join(self, tokens: Iterable[str]) -> str:
        """Return tokens of the vocabulary as text, as tokenizers' WordPiece decoder does."""
        return self.decode(self.ids[token] for token in tokens)

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """Return ids as text; ids without a token are left out, special ones if asked for."""
        return str(self._tokenizer.decode(list(ids), skip_special=skip_special))
