"""Sessions of masking: the same pseudonym for the same value, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from linnet.masking.span import Given, Masked, spans_of

if TYPE_CHECKING:
    from linnet_runtime._core import Masker as CoreMasker
    from linnet_runtime._core import MaskSession, UnmaskStream

__all__ = ["Session"]


class Session:
    """Pseudonyms of a conversation, made by :meth:`linnet.masking.Masker.session`.

    The same text at two places has the same pseudonym, [EMAIL_1]; another way to write the same number is another
    text. ``unmask(mask(text).text)`` is the text, whatever it holds. Several threads may use a session.
    """

    def __init__(self, masker: CoreMasker, others: Callable[[str], list[Given]], state: MaskSession) -> None:
        self._masker = masker
        self._others = others
        self._state = state

    def __len__(self) -> int:
        """Return the number of pseudonyms."""
        return len(self._state)

    def mask(self, text: str) -> Masked:
        """Return a text with pseudonyms.

        What looks like a pseudonym in the text gets one of its own, [TEXT_1]; it is not among the spans.

        Raises:
            InvalidTextError: the text has a lone surrogate.
        """
        masked, found = self._masker.mask(text, self._others(text), "pseudonym", self._state)
        return Masked(masked, tuple(spans_of(found)))

    def unmask(self, text: str) -> str:
        """Return a text with the values in place of this session's pseudonyms."""
        return self._state.unmask(text)

    def unmask_stream(self) -> UnmaskStream:
        """Return an object whose ``push(piece)`` and ``finish()`` return an answer's text as far as it is certain.

        At most 44 characters are held back: the beginning of a pseudonym. One thread at a time may use it.
        """
        return self._state.stream()

    def unmask_pieces(self, pieces: Iterable[str]) -> Iterator[str]:
        """Yield the unmasked text of an answer that comes in pieces; empty pieces are left out."""
        stream = self.unmask_stream()
        for piece in pieces:
            if plain := stream.push(piece):
                yield plain
        if rest := stream.finish():
            yield rest

    def save(self, key: bytes) -> bytes:
        """Return the values, encrypted and authenticated with a secret key of at least 16 random bytes.

        :meth:`linnet.masking.Masker.restore` makes a session of them.

        Raises:
            InvalidArgumentError: the key is shorter.
        """
        return self._state.save(key)
