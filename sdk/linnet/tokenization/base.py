"""Interfaces of tokenizers and vocabularies that the tasks use, for all kinds of tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from linnet.runtime import Encoding, IntArray, Tokenizer

if TYPE_CHECKING:
    from linnet.runtime import CoreEncoding

__all__ = ["OpenedTokenizer", "TextStream", "Vocabulary"]


class TextStream(Protocol):
    """Text of tokens that come one after the other, as a model generates them."""

    def push(self, token_id: int, /) -> str:
        """Return the text that is new and certain with this token, often none: only whole characters.

        Raises:
            InputOutOfRangeError: the id is not in the vocabulary; the stream goes on as if it had not come.
        """

    def finish(self) -> str:
        """Return the rest of the text; the next token begins another text.

        All texts of the stream, joined, are what :meth:`Vocabulary.decode` returns for all ids.
        """


class Vocabulary(Protocol):
    """Vocabulary: tokens by id, and decoding of token ids to text."""

    @property
    def ids(self) -> Mapping[str, int]:
        """Token ids by token, including added tokens."""

    @property
    def marks_words(self) -> bool:
        """True if tokens that continue a word have a prefix such as "##"."""

    def token(self, token_id: int) -> str:
        """Return the token of an id, or "" if the id is unused."""

    def join(self, tokens: Iterable[str]) -> str:
        """Join tokens to text, as the decoder of the tokenizer does."""

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """Decode ids to text; ids without a token are skipped, special tokens if ``skip_special`` is True."""


class OpenedTokenizer(Tokenizer, Protocol):
    """A tokenizer with its vocabulary."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Vocabulary of the tokenizer.

        Raises:
            TokenizerInvalidError: the tokenizer bytes cannot be parsed.
        """

    def stream(self, *, skip_special: bool = False) -> TextStream:
        """Open a stream that decodes ids one by one, without special tokens if ``skip_special`` is True."""

    def decodable(self, encoding: Encoding, text: str | None, pair: str | None) -> CoreEncoding:
        """Convert an encoding of this tokenizer to the form that the decoder of the core reads.

        Args:
            encoding: the encoding of ``text`` and ``pair``.
            text: the first text; None if it is not part of the answer.
            pair: the second text; None if it is not part of the answer.
        """

    def words(self, encoding: Encoding) -> IntArray:
        """Return the index of each token's word in its text, -1 for special tokens: int64 [tokens].

        The tokens of a word are adjacent, with the same index and the same sequence id.
        """
