"""Subcommands ``linnet serve keys``: add, list and revoke."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from linnet.errors import InvalidArgumentError
from linnet.suggestions import did_you_mean
from linnet_serve.access.keys import KeyEntry, new_key, read_keys, write_keys
from linnet_serve.access.principal import DEFAULT_SCOPES, SCOPES

__all__ = ["add_key_arguments", "run_keys"]

_DURATION = re.compile(r"(\d+)([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_ACTIONS = ("add", "list", "revoke")


def add_key_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``linnet serve keys add``."""
    scopes = "; ".join(f"{name}: {meaning}" for name, meaning in SCOPES.items())
    group = parser.add_argument_group("keys add")
    group.add_argument(
        "--scope", action="append", metavar="NAME", help=f"what the key is for, may be repeated ({scopes})"
    )
    group.add_argument("--model", action="append", metavar="NAME", help="model that the key is for, may be repeated")
    group.add_argument("--expires", metavar="TIME", help="end, as 90d, 12h or 2027-01-31")
    group.add_argument("--requests-per-minute", type=int, default=0, metavar="N", help="quota of requests")
    group.add_argument("--tokens-per-day", type=int, default=0, metavar="N", help="quota of tokens")


def run_keys(args: argparse.Namespace) -> int:
    """Add, list or revoke keys; return the exit status.

    Raises:
        InvalidArgumentError: the words are not one of these, or the key is not there.
    """
    action = args.files[1] if len(args.files) > 1 else ""
    if action not in _ACTIONS or len(args.files) != (2 if action == "list" else 3):
        hint = did_you_mean(action, _ACTIONS)
        raise InvalidArgumentError(f"expected keys add NAME, keys list or keys revoke ID{hint}; with --keys FILE")
    if args.keys is None:
        raise InvalidArgumentError("expected --keys FILE, the file that holds the keys")
    path = Path(args.keys)
    if action == "add":
        return _add(path, args)
    keys = read_keys(path)
    if action == "revoke":
        return _revoke(path, keys, args.files[2], as_json=args.json)
    return _list(keys, as_json=args.json)


def _add(path: Path, args: argparse.Namespace) -> int:
    keys = read_keys(path) if path.exists() else []
    text, entry = new_key(
        args.files[2],
        scopes=args.scope or DEFAULT_SCOPES,
        models=args.model or ["*"],
        expires=None if args.expires is None else _end(args.expires),
        requests_per_minute=args.requests_per_minute,
        tokens_per_day=args.tokens_per_day,
    )
    write_keys(path, [*keys, entry])
    if args.json:
        print(json.dumps({"key": text, **_shown(entry)}))
    else:
        print(text)
        print(f"linnet: key {entry.id} for {entry.name}; it is shown this once, {path} holds its hash", file=sys.stderr)
    return 0


def _end(text: str) -> datetime.datetime:
    """Read a duration from now, or a day.

    Raises:
        InvalidArgumentError: it is neither.
    """
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    if found := _DURATION.fullmatch(text):
        return now + datetime.timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgumentError(f"--expires is {text!r}, expected 90d, 12h or 2027-01-31") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    if moment <= now:
        raise InvalidArgumentError(f"--expires is {text}, which is over")
    return moment


def _revoke(path: Path, keys: Sequence[KeyEntry], identity: str, *, as_json: bool) -> int:
    found = next((key for key in keys if identity in (key.id, key.name)), None)
    if found is None:
        hint = did_you_mean(identity, [key.id for key in keys])
        raise InvalidArgumentError(f"there is no key {identity!r}{hint}; linnet serve keys list shows all")
    revoked = msgspec.structs.replace(found, revoked=True)
    write_keys(path, [revoked if key is found else key for key in keys])
    print(json.dumps(_shown(revoked)) if as_json else f"revoked {found.id} ({found.name})")
    return 0


def _list(keys: Sequence[KeyEntry], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps([_shown(key) for key in keys]))
        return 0
    print(f"{'id':12}  {'state':7}  {'expires':10}  {'scopes':24}  {'models':16}  name")
    for key in keys:
        shown = _shown(key)
        expires = str(shown["expires"] or "never")[:10]
        scopes, models = ",".join(key.scopes), ",".join(key.models)
        print(f"{key.id:12}  {shown['state']:7}  {expires:10}  {scopes:24}  {models:16}  {key.name}")
    return 0


def _shown(key: KeyEntry) -> dict[str, object]:
    fields = {name: value for name, value in msgspec.to_builtins(key).items() if name not in ("salt", "hash")}
    return {**fields, "state": key.state(datetime.datetime.now(datetime.UTC))}
