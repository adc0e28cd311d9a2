"""JSON Web Tokens of an issuer, checked with the public keys of its JWKS file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from linnet.errors import ExtraMissingError, FileMissingError, InvalidArgumentError
from linnet.version import install_line
from linnet_serve.access.principal import SCOPES, Principal
from linnet_serve.settings import JwtSettings

__all__ = ["Issuer"]

# asymmetric ones alone: with HS256 a public key could be taken for a shared secret
_ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
_LEEWAY_SECONDS = 30


class Issuer:
    """Checks tokens of one issuer.

    A token needs ``exp``, ``iss`` and ``aud``. Its claim ``scope`` holds scopes of linnet, separated by spaces; an
    optional ``linnet_models`` is a list of models.
    """

    def __init__(self, settings: JwtSettings) -> None:
        """Read the keys.

        Raises:
            ExtraMissingError: PyJWT is not installed.
            InvalidArgumentError: the file is no key set.
        """
        try:
            import jwt
        except ImportError as error:
            raise ExtraMissingError(f"tokens of an issuer need PyJWT: {install_line('jwt')}") from error
        self._jwt, self._settings = jwt, settings
        try:
            keys = jwt.PyJWKSet.from_dict(json.loads(Path(settings.jwks).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise FileMissingError(f"{settings.jwks}: there is no such key set") from None
        except (ValueError, jwt.PyJWTError, AttributeError) as error:
            raise InvalidArgumentError(f"{settings.jwks}: expected a JSON Web Key Set: {error}") from error
        self._keys = {key.key_id: key for key in keys.keys if key.key_id}

    def find(self, text: str) -> Principal | None:
        """Return who a token is for, or None if it is not valid."""
        jwt = self._jwt
        try:
            header = jwt.get_unverified_header(text)
            key = self._keys.get(header.get("kid", ""))
            if key is None or header.get("alg") not in _ALGORITHMS:
                return None
            claims = jwt.decode(
                text,
                key.key,
                algorithms=[header["alg"]],
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return _principal(claims)


def _principal(claims: dict[str, Any]) -> Principal | None:
    scope, models = claims.get("scope", ""), claims.get("linnet_models", ["*"])
    if not isinstance(scope, str) or not isinstance(models, list) or not all(isinstance(name, str) for name in models):
        return None
    known = frozenset(scope.split()) & frozenset(SCOPES)
    subject = str(claims.get("sub", ""))[:64] or "token"
    return Principal(id=f"jwt:{subject}", scopes=known, models=frozenset(models))
