"""Finding and masking of personal data: patterns of the core, a phone library, a tagger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from linnet.errors import InvalidArgumentError
from linnet.masking.phones import PhoneFinder
from linnet.masking.session import Session
from linnet.masking.span import Given, Masked, Span, spans_of
from linnet.masking.tagger import Tagger
from linnet.masking.types import pattern_types
from linnet.runtime import core

if TYPE_CHECKING:
    from linnet.model import Model

__all__ = ["MODES", "Masker"]

MODES = ("type", "pseudonym", "redact", "redact_length")
"""What stands in place of personal data: [EMAIL]; [EMAIL_1], the same for the same text; five blocks; a block for
each character."""


class Masker:
    """Personal data of texts. Several threads may use the same masker.

    Args:
        types: types and groups to look for ("EMAIL", "NATIONAL_ID", "PERSON"); None: all of the patterns, and all of
            the tagger's.
        model: a token-classification file for names, places and organizations, or its path; None: patterns alone.
        region: code of a country ("DE") whose phone numbers are found as they are dialled there, by the package
            phonenumbers (extra ``masking``); None: numbers with + and a country code alone.
        mode: one of :data:`MODES`, for :meth:`mask`.
        labels: types by the tagger's labels, besides PER, LOC, ORG and their like.
        min_score: least score of what the tagger finds.

    Raises:
        InvalidArgumentError: an unknown type, mode or region.
        TaskMismatchError: the model's task is not token-classification.
        ExtraMissingError: the package phonenumbers is missing.
        FileError, BuildError: the model cannot be loaded.
    """

    def __init__(
        self,
        types: Iterable[str] | None = None,
        *,
        model: Model | str | Path | None = None,
        region: str | None = None,
        mode: str = "type",
        labels: Mapping[str, str] | None = None,
        min_score: float = 0.0,
    ) -> None:
        if mode not in MODES:
            raise InvalidArgumentError(f"mode is {mode!r}, expected {', '.join(MODES)}")
        if isinstance(types, str):
            raise InvalidArgumentError(f"types is the str {types!r}, expected a list of str")
        self._mode = mode
        self._tagger = None if model is None else Tagger(model, labels=labels or {}, min_score=min_score)
        self._wanted = None if types is None else frozenset(types)
        patterns = self._patterns()
        self._core = core().Masker(patterns)
        looks_for_phones = not patterns or "PHONE" in patterns
        self._phones = PhoneFinder(region) if region is not None and looks_for_phones else None

    def _patterns(self) -> list[str]:
        """Return the wanted types that patterns find, [] for all, ["-"] for none."""
        if self._wanted is None:
            return []
        table = pattern_types()
        known = {name for row in table for name in (row.type, row.group) if name}
        tagged = frozenset() if self._tagger is None else self._tagger.types
        if unknown := sorted(self._wanted - known - tagged):
            raise InvalidArgumentError(
                f"types has {', '.join(map(repr, unknown))}, expected some of {', '.join(sorted(known | tagged))}"
                + ("" if self._tagger else "; names, places and organizations need a model")
            )
        return sorted(self._wanted & known) or ["-"]

    @property
    def types(self) -> frozenset[str]:
        """The types that it looks for."""
        patterns = {row.type for row in pattern_types() if self._wants(row.type) or self._wants(row.group)}
        tagged = frozenset() if self._tagger is None else self._tagger.types
        return frozenset(patterns | {type_ for type_ in tagged if self._wants(type_)})

    def find(self, text: str) -> list[Span]:
        """Return the places of personal data, in the order of the text; they do not overlap.

        Raises:
            InvalidTextError: the text has a lone surrogate.
        """
        return spans_of(self._core.find(text, self._others(text)))

    def mask(self, text: str) -> Masked:
        """Return the text without what is found. Pseudonyms are numbered for this text alone; see :meth:`session`.

        Raises:
            InvalidTextError: the text has a lone surrogate.
        """
        if self._mode == "pseudonym":
            return self.session().mask(text)
        masked, found = self._core.mask(text, self._others(text), self._mode, None)
        return Masked(masked, tuple(spans_of(found)))

    def session(self) -> Session:
        """Begin a conversation with pseudonyms of its own."""
        return Session(self._core, self._others, core().MaskSession())

    def restore(self, saved: bytes, key: bytes) -> Session:
        """Return a session that :meth:`linnet.masking.Session.save` saved.

        Raises:
            StateInvalidError: the bytes are damaged, or the key is another one.
            InvalidArgumentError: the key is too short.
        """
        return Session(self._core, self._others, core().MaskSession.load(key, saved))

    def _wants(self, name: str) -> bool:
        return self._wanted is None or name in self._wanted

    def _others(self, text: str) -> list[Given]:
        """Return what the phone library and the tagger find."""
        found = [] if self._phones is None else self._phones.find(text)
        if self._tagger is not None:
            found += [entity for entity in self._tagger.find(text) if self._wants(entity[0])]
        return found
