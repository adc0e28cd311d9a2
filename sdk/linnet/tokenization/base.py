"""Interfaces of tokenizers and vocabularies that the tasks use, for all kinds of tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from linnet.runtime import Encoding, IntArray, Tokenizer

if TYPE_CHECKING:
    from linnet.runtime import CoreEncoding

__all__ = ["OpenedTokenizer", "Vocabulary"]


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

    def encode(
        self,
        text: str,
        pair: str | None = None,
        *,
        max_length: int = 0,
        truncation: str = "longest_first",
        stride: int = -1,
        add_special_tokens: bool = True,
    ) -> Sequence[Encoding]:
        """Encode a text or a pair.

        Args:
            text: the first text.
            pair: the second text.
            max_length: largest number of tokens of a window, including special tokens; 0: no limit.
            truncation: never, longest_first or only_second, as in Hugging Face tokenizers.
            stride: overlap in tokens of consecutive windows, for a text with longest_first or a pair with only_second;
                -1: one window.
            add_special_tokens: add the special tokens of the model around the texts.

        Raises:
            InvalidTextError: a text cannot be written as UTF-8.
            TextTooLongError: the text has too many tokens, and truncation is off or not possible.
            InvalidArgumentError: ``max_length``, ``truncation`` or ``stride`` is invalid.
        """

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
