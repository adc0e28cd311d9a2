"""WordPiece tokenizer of a file (kind ``wordpiece``), by the compiled runtime."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

from linnet.runtime import Encoding, IntArray, Runtime
from linnet.tokenization.vocabulary import Vocabulary

if TYPE_CHECKING:
    from linnet.runtime import CoreEncoding

__all__ = ["WordPieceTokenizer"]


class WordPieceTokenizer:
    """The core's tokenizer of an opened file."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Tokens by id."""
        return Vocabulary(self._runtime.tokenizer)

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
        """See :class:`linnet.tokenization.base.OpenedTokenizer`."""
        return self._runtime.tokenizer.encode(
            text,
            pair,
            max_length=max_length,
            truncation=truncation,
            stride=stride,
            add_special_tokens=add_special_tokens,
        )

    def decodable(self, encoding: Encoding, text: str | None, pair: str | None) -> CoreEncoding:
        """Return it as it is: the core made it."""
        return cast("CoreEncoding", encoding)

    def words(self, encoding: Encoding) -> IntArray:
        """Return the number of each token's word; a piece with the continuation prefix goes on with a word."""
        import numpy as np

        continues = self.vocabulary.continues_word
        starts = np.array([not continues(token) for token in encoding.ids.tolist()], dtype=np.int64)
        return np.where(encoding.sequence_ids >= 0, np.cumsum(starts), -1)
