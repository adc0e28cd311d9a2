"""File of API keys: salted hashes, scopes, quotas and expiry.

A key is ``linnet_ID_SECRET``. The secret has 256 random bits, so one round of HMAC-SHA256 keeps it: a slow hash such
as scrypt protects passwords, which can be guessed, and would cost each request milliseconds.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from linnet.atomic_file import replace_file
from linnet.errors import FileMissingError, InvalidArgumentError
from linnet.suggestions import did_you_mean
from linnet_serve.access.principal import SCOPES, Principal

__all__ = ["KeyEntry", "KeyFile", "new_key", "read_keys", "write_keys"]

_KEY = re.compile(r"linnet_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SALT_BYTES, _SECRET_BYTES, _ID_BYTES = 16, 32, 6
_VERSION = 1


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key as it is stored.

    Attributes:
        id: not secret; the key holds it too.
        name: who has the key.
        salt, hash: hexadecimal.
        created: day and time, UTC.
        expires: day and time after which it is not valid; None: never.
        revoked: it is not valid any more.
        scopes, models, requests_per_minute, tokens_per_day: see :class:`Principal`.
    """

    id: str
    name: str
    salt: str
    hash: str
    created: datetime.datetime
    expires: datetime.datetime | None = None
    revoked: bool = False
    scopes: list[str]
    models: list[str]
    requests_per_minute: int = 0
    tokens_per_day: int = 0

    def state(self, now: datetime.datetime) -> str:
        """Return "valid", "expired" or "revoked"."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires is not None and now >= self.expires else "valid"

    def principal(self) -> Principal:
        """Return what the holder may do."""
        return Principal(
            id=self.id,
            scopes=frozenset(self.scopes),
            models=frozenset(self.models),
            requests_per_minute=self.requests_per_minute,
            tokens_per_day=self.tokens_per_day,
        )


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file of keys."""

    version: int
    keys: list[KeyEntry]


def read_keys(path: Path) -> list[KeyEntry]:
    """Read the file of keys.

    Raises:
        FileMissingError: there is none.
        InvalidArgumentError: it has another form.
    """
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
    except FileNotFoundError:
        raise FileMissingError(f"{path}: there is no file of keys; make one with `linnet serve keys add`") from None
    except msgspec.MsgspecError as error:
        raise InvalidArgumentError(f"{path}: expected a file of keys of linnet: {error}") from None
    if stored.version != _VERSION:
        raise InvalidArgumentError(f"{path}: version {stored.version}, expected {_VERSION}; use a newer linnet")
    return stored.keys


def write_keys(path: Path, keys: Sequence[KeyEntry]) -> None:
    """Write the file of keys, readable by its owner alone; it takes the place of the old one when it is complete."""
    data = msgspec.json.format(msgspec.json.encode(_Stored(version=_VERSION, keys=list(keys))), indent=1)
    before = os.umask(0o077)
    try:
        replace_file(path, data.decode() + "\n")
    finally:
        os.umask(before)


def new_key(
    name: str,
    *,
    scopes: Sequence[str],
    models: Sequence[str],
    expires: datetime.datetime | None,
    requests_per_minute: int,
    tokens_per_day: int,
) -> tuple[str, KeyEntry]:
    """Make a key; return its text, which is shown once, and what is stored.

    Raises:
        InvalidArgumentError: a scope is unknown, or a quota is negative.
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise InvalidArgumentError(f"there is no scope {scope!r}{did_you_mean(scope, SCOPES)}; {', '.join(SCOPES)}")
    if requests_per_minute < 0 or tokens_per_day < 0:
        raise InvalidArgumentError("expected quotas of at least 1, or 0 for none")
    identity, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    salt = secrets.token_bytes(_SALT_BYTES)
    entry = KeyEntry(
        id=identity,
        name=name,
        salt=salt.hex(),
        hash=_hash(salt, secret).hex(),
        created=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
        expires=expires,
        scopes=list(scopes),
        models=list(models),
        requests_per_minute=requests_per_minute,
        tokens_per_day=tokens_per_day,
    )
    return f"linnet_{identity}_{secret}", entry


def _hash(salt: bytes, secret: str) -> bytes:
    return hmac.digest(salt, secret.encode(), hashlib.sha256)


class KeyFile:
    """Keys of a running service; the file is read again when it has changed, so that a revocation counts at once."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            FileMissingError, InvalidArgumentError: see :func:`read_keys`.
        """
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._entries: Mapping[str, KeyEntry] = {}
        self._nobody = new_key("nobody", scopes=(), models=(), expires=None, requests_per_minute=0, tokens_per_day=0)[1]
        self._refresh()

    def find(self, text: str) -> Principal | None:
        """Return the holder of a key, or None if it is unknown, wrong, revoked or expired.

        The secret is hashed and compared in constant time in each of these cases, also for an id that is not there.
        """
        self._refresh()
        found = _KEY.fullmatch(text)
        identity, secret = (found[1], found[2]) if found else ("", text[:64])
        entry = self._entries.get(identity, self._nobody)
        same = hmac.compare_digest(_hash(bytes.fromhex(entry.salt), secret), bytes.fromhex(entry.hash))
        valid = entry.state(datetime.datetime.now(datetime.UTC)) == "valid"
        return entry.principal() if same and valid and entry is not self._nobody else None

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if self._stamp is None:
                read_keys(self._path)  # raises
            self._entries = {}  # a deleted file holds no key
            return
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._stamp:
            self._entries = {entry.id: entry for entry in read_keys(self._path)}
            self._stamp = stamp
