"""Admission of a request: who sends it, whether they may, and whether their quota allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from linnet_serve.access.keys import KeyFile
from linnet_serve.access.principal import ANONYMOUS, Principal
from linnet_serve.access.quotas import Quotas
from linnet_serve.errors import unauthorized
from linnet_serve.settings import AccessSettings

__all__ = ["Gate"]

_MOST_CHARACTERS = 8192


class _Finder(Protocol):
    def find(self, text: str) -> Principal | None:
        """Return who a key or token belongs to, or None."""


class Gate:
    """Access control by the settings.

    Attributes:
        quotas: of all keys.
    """

    def __init__(self, settings: AccessSettings) -> None:
        """Read the keys.

        Raises:
            FileMissingError, InvalidArgumentError, ExtraMissingError: a file is missing or wrong, or a package.
        """
        self._finders: list[_Finder] = []
        if settings.keys:
            self._finders.append(KeyFile(Path(settings.keys)))
        if settings.jwt is not None:
            from linnet_serve.access.jwt import Issuer

            self._finders.append(Issuer(settings.jwt))
        self.quotas = Quotas()

    @property
    def open(self) -> bool:
        """True if no key is needed."""
        return not self._finders

    def identify(self, authorization: str, api_key: str) -> Principal:
        """Return who sends a request.

        Args:
            authorization: the header of that name, "Bearer KEY".
            api_key: the header x-api-key, for clients without the other.

        Raises:
            ServiceError: there is no valid key (401).
        """
        if self.open:
            return ANONYMOUS
        kind, _, given = authorization.partition(" ")
        text = given.strip() if kind.lower() == "bearer" else api_key
        if not text or len(text) > _MOST_CHARACTERS:
            text = ""  # goes through the same comparison
        for finder in self._finders:
            if (principal := finder.find(text)) is not None:
                return principal
        raise unauthorized()
