"""What tasks need of a tokenizer, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from linnet.runtime import Encoding, IntArray, Tokenizer

if TYPE_CHECKING:
    from linnet.runtime import CoreEncoding

__all__ = ["OpenedTokenizer", "Vocabulary"]


class Vocabulary(Protocol):
    """From token ids back to text, for answers that show tokens."""

    @property
    def ids(self) -> Mapping[str, int]:
        """Id by token, added tokens included."""

    @property
    def marks_words(self) -> bool:
        """True if tokens that go on with a word have a prefix of their own ("##")."""

    def token(self, token_id: int) -> str:
        """Return the token of an id, "" if the id is unused."""

    def join(self, tokens: Iterable[str]) -> str:
        """Return tokens as text, as the tokenizer's decoder does."""

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """Return ids as text; ids without a token are left out, special ones if asked for."""


class OpenedTokenizer(Tokenizer, Protocol):
    """A tokenizer with its vocabulary."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Tokens by id.

        Raises:
            TokenizerInvalidError: the tokenizer bytes do not parse.
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
        """Encode a text or a pair; ``max_length`` 0 means no bound.

        Args:
            text: the first text.
            pair: the second text.
            max_length: most tokens of a window, special tokens included.
            truncation: never, longest_first or only_second, as Hugging Face tokenizers name them.
            stride: overlap in tokens of consecutive windows with only_second; -1: one window.
            add_special_tokens: put the special tokens of the model around the texts.

        Raises:
            InvalidTextError: a text cannot be written as UTF-8.
            TextTooLongError: the text does not fit and may not (or cannot) be truncated.
            InvalidArgumentError: an impossible ``max_length``, ``truncation`` or ``stride``.
        """

    def decodable(self, encoding: Encoding, text: str | None, pair: str | None) -> CoreEncoding:
        """Return one of this tokenizer's encodings in the form that the core's decoding takes.

        Args:
            encoding: of ``text`` and ``pair``.
            text: the first text; None if decoding does not show it.
            pair: the second text, likewise.
        """

    def words(self, encoding: Encoding) -> IntArray:
        """Return for each token the number of its word within its text, -1 for special tokens: int64 [tokens].

        Tokens of one word are neighbours with the same number and the same sequence id.
        """
