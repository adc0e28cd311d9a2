"""From token ids back to text, for answers that show tokens.

Reads the tokenizer bytes of kind "wordpiece": magic, version, flags, longest word, unknown id, prefix,
pool of tokens, added tokens. All integers are little-endian u32, a str is its byte length and UTF-8.
The runtime's tokenizer reads the same bytes for the other direction.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from linnet.errors import TokenizerInvalidError
from linnet.runtime import core

__all__ = ["Vocabulary"]

_MAGIC = b"LNWORDPC"
_SPECIAL = 1  # bit 0 of an added token's flags


class _Reader:
    """Takes values off the front of the bytes, and refuses to run over their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise TokenizerInvalidError(
                f"the tokenizer bytes end at {len(self._data)}, needed {self._at + size}; export again"
            )
        self._at += size
        return self._data[self._at - size : self._at]

    def numbers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}I", self.take(4 * count))

    def text(self) -> bytes:
        return self.take(self.numbers(1)[0])


class Vocabulary:
    """Tokens by id, special ids, and (by the core) text of tokens.

    Args:
        data: tokenizer bytes of kind "wordpiece".
        tokenizer: the core's tokenizer of these bytes; None: made when it is needed.

    Raises:
        TokenizerInvalidError: the bytes do not parse.
    """

    def __init__(self, data: bytes, tokenizer: Any = None) -> None:
        self._data = data
        self._given = tokenizer
        reader = _Reader(data)
        if reader.take(len(_MAGIC)) != _MAGIC:
            raise TokenizerInvalidError(f"the tokenizer bytes start with {data[:8]!r}, needed {_MAGIC!r}")
        version, _flags, _longest, self.unk_id = reader.numbers(4)
        if version != 1:
            raise TokenizerInvalidError(f"the tokenizer bytes have version {version}, this linnet reads 1")
        self.prefix = reader.text().decode("utf-8")
        (self._count,) = reader.numbers(1)
        self._offsets = reader.numbers(self._count + 1)
        self._pool = reader.text()
        self.special_ids, self._added_ids = _read_added(reader)

    def __len__(self) -> int:
        return self._count

    def token(self, token_id: int) -> str:
        """Return the token of an id, "" if the id is unused.

        Raises:
            TokenizerInvalidError: the token is not UTF-8, or the id is not in the vocabulary.
        """
        if not 0 <= token_id < self._count:
            raise TokenizerInvalidError(f"token id {token_id} is outside of a vocabulary of {self._count}")
        piece = self._pool[self._offsets[token_id] : self._offsets[token_id + 1]]
        try:
            return piece.decode("utf-8")
        except UnicodeDecodeError as error:
            raise TokenizerInvalidError(f"token {token_id} is not UTF-8: {error}") from error

    @property
    def marks_words(self) -> bool:
        """True if tokens that go on with a word have a prefix of their own."""
        return bool(self.prefix)

    def continues_word(self, token_id: int) -> bool:
        """Say whether the token continues the word of the token before it."""
        if not self.prefix or token_id in self._added_ids:
            return False
        return self.token(token_id).startswith(self.prefix)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Id by token."""
        return {token: each for each in range(self._count) if (token := self.token(each))}

    def join(self, tokens: Iterable[str]) -> str:
        """Return tokens of the vocabulary as text, as tokenizers' WordPiece decoder does."""
        return self.decode(self.ids[token] for token in tokens)

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """Return ids as text; ids without a token are left out, special ones if asked for."""
        return str(self._core.decode(list(ids), skip_special=skip_special))

    @cached_property
    def _core(self) -> Any:
        return core().Tokenizer(self._data) if self._given is None else self._given


def _read_added(reader: _Reader) -> tuple[frozenset[int], frozenset[int]]:
    special: set[int] = set()
    added: set[int] = set()
    (count,) = reader.numbers(1)
    for _ in range(count):
        token_id, flags = reader.numbers(2)
        reader.text()
        added.add(token_id)
        if flags & _SPECIAL:
            special.add(token_id)
    return frozenset(special), frozenset(added)
