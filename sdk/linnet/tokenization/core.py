"""Tokenizer of a file that the compiled runtime implements: the kinds ``wordpiece`` and ``tables``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from linnet.runtime import Encoding, IntArray, Runtime
from linnet.tokenization.vocabulary import Vocabulary

if TYPE_CHECKING:
    from linnet.runtime import CoreEncoding
    from linnet.tokenization.base import TextStream

__all__ = ["CoreTokenizer"]


class CoreTokenizer:
    """Tokenizer of the core for an open file."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Vocabulary of the tokenizer."""
        return Vocabulary(self._runtime.tokenizer)

    @property
    def encode(self) -> Callable[..., Sequence[Encoding]]:
        """The core's own method, see :class:`linnet.runtime.Tokenizer`."""
        return self._runtime.tokenizer.encode

    def stream(self, *, skip_special: bool = False) -> TextStream:
        """Open a stream that decodes ids one by one, see :class:`linnet_runtime.TextStream`."""
        return cast("TextStream", cast(Any, self._runtime.tokenizer).stream(skip_special=skip_special))

    def decodable(self, encoding: Encoding, text: str | None, pair: str | None) -> CoreEncoding:
        """Return the encoding unchanged, since it already has the form of the core."""
        return cast("CoreEncoding", encoding)

    def words(self, encoding: Encoding) -> IntArray:
        """Return the index of each token's word, found by the continuation prefix in WordPiece."""
        import numpy as np

        counted = cast("CoreEncoding", encoding).words
        if counted is not None:
            return counted
        continues = self.vocabulary.continues_word
        starts = np.array([not continues(token) for token in encoding.ids.tolist()], dtype=np.int64)
        return np.where(encoding.sequence_ids >= 0, np.cumsum(starts), -1)
