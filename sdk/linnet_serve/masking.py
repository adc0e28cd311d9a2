"""Masking of the texts of a request before they are queued, and the way back in its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from linnet.errors import InvalidTextError
from linnet.loading import load
from linnet.masking import Masked, Masker, pattern_types
from linnet.monitoring import Metrics
from linnet_serve.errors import invalid
from linnet_serve.settings import MaskSettings

if TYPE_CHECKING:
    from linnet.masking import Session

__all__ = ["Masking", "RequestMask", "Unmasking"]

_Mask: TypeAlias = Callable[[str], Masked]

_INLINE_CHARACTERS = 20_000
_TAGGED = {"PERSON": "person", "LOCATION": "place", "ORGANIZATION": "organization"}


class Masking:
    """What a service masks, for all its requests.

    Attributes:
        entities: values of the label "entity" by type.
        reversible: answers get values back in place of pseudonyms.
    """

    def __init__(self, settings: MaskSettings, metrics: Metrics) -> None:
        """Load the tagger, if there is one.

        Raises:
            LinnetError: a type, the mode or the region is unknown, or the tagger was refused.
        """
        model = load(settings.model, threads=1) if settings.model else None
        types, region = settings.types or None, settings.region or None
        self._masker = Masker(types, model=model, region=region, mode=settings.mode)
        self._blocks = Masker(types, model=model, region=region, mode="redact_length")
        # the label "entity" of the metrics has one value for all national ids
        groups = {row.type: (row.group or row.type).lower() for row in pattern_types()}
        self.entities = {**groups, **_TAGGED}
        self.metrics, self.reversible = metrics, settings.mode == "pseudonym"
        self._has_tagger = bool(settings.model)

    def request(self) -> RequestMask:
        """Begin a request, which has pseudonyms of its own."""
        session = self._masker.session() if self.reversible else None
        return RequestMask(self, self._masker.mask if session is None else session.mask, self._blocks.mask, session)

    def in_thread(self, texts: list[str]) -> bool:
        """Return whether masking takes so long that other requests should not wait for it."""
        return self._has_tagger or sum(map(len, texts)) > _INLINE_CHARACTERS


class RequestMask:
    """Masking of one request."""

    def __init__(self, masking: Masking, mask: _Mask, blocks: _Mask, session: Session | None) -> None:
        """Begin without a text; :meth:`Masking.request` does this."""
        self._masking, self._mask, self._blocks, self._session = masking, mask, blocks, session

    async def mask(self, texts: list[str], *, keep_places: bool = False) -> list[str]:
        """Return masked texts.

        Args:
            texts: of the request.
            keep_places: put a block for each character, so that places in an answer are those of the original.

        Raises:
            ServiceError: a text cannot be written as UTF-8 (400).
        """
        mask = self._blocks if keep_places else self._mask
        if self._masking.in_thread(texts):
            return await asyncio.to_thread(self._masked, texts, mask)
        return self._masked(texts, mask)

    def _masked(self, texts: list[str], mask: _Mask) -> list[str]:
        try:
            masked = [mask(text) for text in texts]
        except InvalidTextError as error:
            raise invalid(str(error)) from None
        for text in masked:
            for span in text.spans:
                self._masking.metrics.count("masked", entity=self._masking.entities.get(span.type, "other"))
        return [each.text for each in masked]

    def unmask(self, value: Any) -> Any:
        """Return an answer of JSON whose texts have the values in place of the request's pseudonyms."""
        if self._session is None:
            return value
        if isinstance(value, str):
            return self._session.unmask(value)
        if isinstance(value, list):
            return [self.unmask(item) for item in value]
        return {name: self.unmask(item) for name, item in value.items()} if isinstance(value, dict) else value

    def stream(self) -> Unmasking:
        """Return what does the same for an answer that comes in pieces."""
        return Unmasking(None if self._session is None else self._session.unmask_stream())


class Unmasking:
    """Text on its way to the client."""

    def __init__(self, stream: Any = None) -> None:
        """Use the stream of a session; None: nothing is replaced."""
        self._stream = stream

    def push(self, text: str) -> str:
        """Take a piece; return what can be sent."""
        return text if self._stream is None else str(self._stream.push(text))

    def finish(self) -> str:
        """Return what was held back."""
        return "" if self._stream is None else str(self._stream.finish())
