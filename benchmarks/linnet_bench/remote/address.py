"""Device addresses: parser of ``--device`` and of devices files. A typing error is rejected, never guessed at."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from linnet.errors import InvalidArgumentError
from linnet.suggestions import did_you_mean

__all__ = ["Address", "parse_address", "read_devices_file", "select_devices"]

_EXAMPLES = "ssh://user@host[:port], adb[:serial], local, or a name of --devices-file"
_HOST = re.compile(r"[A-Za-z0-9_.:%-]+")
_USER = re.compile(r"[A-Za-z0-9_.@+-]+\$?")
_SERIAL = re.compile(r"[A-Za-z0-9_.:-]+")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Address:
    """One device.

    Attributes:
        name: the user's name for it: the text of ``--device``, or the name in the devices file.
        kind: a key of :data:`linnet_bench.remote.registry.KINDS`.
        host, user, port: for ssh; empty or None where the user's own ssh configuration decides.
        serial: for adb; empty where one phone is connected.
        python: interpreter to use on the device; empty: look for one.
    """

    name: str
    kind: str
    host: str = ""
    user: str = ""
    port: int | None = None
    serial: str = ""
    python: str = ""


def parse_address(text: str, name: str = "", python: str = "", known: Collection[str] = ()) -> Address:
    """Parse the text of ``--device``.

    Args:
        text: an address in one of the known forms.
        name: name of the device; empty: the text itself.
        python: as in :class:`Address`.
        known: names of a devices file, one of which may have been meant.

    Raises:
        InvalidArgumentError: it has none of the known forms, or contains a password.
    """
    name = name or text
    kind, colon, rest = text.partition(":")
    if kind == "ssh":
        return _parse_ssh(text, name, python)
    if kind == "adb" and (not colon or _plain(_SERIAL, rest)):
        return Address(name=name, kind="adb", serial=rest)
    if text == "local":
        return Address(name=name, kind="local", python=python)
    hint = did_you_mean(text, [*known, "local", "adb"])
    raise InvalidArgumentError(f"--device {text!r} is not understood, expected {_EXAMPLES}{hint}")


def _parse_ssh(text: str, name: str, python: str) -> Address:
    parts = urlsplit(text)
    if parts.password is not None:
        # do not repeat the text: it contains the password
        raise InvalidArgumentError(
            f"--device ssh://{parts.hostname} holds a password; linnet uses your ssh's own keys: "
            "leave it out and run ssh-copy-id once"
        )
    user, host, port = unquote(parts.username or ""), parts.hostname or "", _port(parts, text)
    if parts.path.strip("/") or parts.query or parts.fragment or not text.startswith("ssh://"):
        raise InvalidArgumentError(f"--device {text!r} is not understood, expected ssh://user@host[:port]")
    # ssh would read a leading dash as an option
    if not _plain(_HOST, host) or (user and not _plain(_USER, user)):
        raise InvalidArgumentError(f"--device {text!r} has no usable host or user, expected ssh://user@host[:port]")
    # as written, because names in ~/.ssh/config are case-sensitive
    written = parts.netloc.rpartition("@")[2]
    at = written.lower().find(host)
    return Address(name=name, kind="ssh", host=written[at : at + len(host)], user=user, port=port, python=python)


def _plain(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None and not text.startswith("-")


def _port(parts: SplitResult, text: str) -> int | None:
    try:
        return parts.port
    except ValueError as error:
        raise InvalidArgumentError(f"--device {text!r}: {error}, expected ssh://user@host[:port]") from error


def read_devices_file(path: Path) -> dict[str, Address]:
    """Read a devices file: TOML, one table for each device, with ``device`` and optionally ``python``.

    Raises:
        InvalidArgumentError: it cannot be read, or has other content; lists all problems.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{path}: the devices file cannot be read: {error}") from error
    problems: list[str] = []
    addresses: dict[str, Address] = {}
    for name, table in tables.items():
        try:
            addresses[name] = _from_table(name, table)
        except InvalidArgumentError as error:
            problems.append(f"[{name}] {error}")
    if not tables:
        problems.append("it names no device")
    if problems:
        raise InvalidArgumentError(f"{path}: {'; '.join(problems)}")
    return addresses


def _from_table(name: str, table: Any) -> Address:
    if not _plain(_NAME, name) or name in ("local", "adb"):
        raise InvalidArgumentError("is no name for a device, expected letters, digits, dots, dashes")
    if not isinstance(table, Mapping) or not isinstance(table.get("device"), str):
        raise InvalidArgumentError('expected device = "ssh://user@host[:port]" or "adb[:serial]"')
    unknown = sorted(set(table) - {"device", "python"})
    if unknown:
        raise InvalidArgumentError(f"has unknown keys {', '.join(unknown)}, known are device, python")
    python = table.get("python", "")
    if not isinstance(python, str):
        raise InvalidArgumentError("python is not a text, expected the path of an interpreter on the device")
    return parse_address(table["device"], name, python)


def select_devices(given: Sequence[str], known: Mapping[str, Address]) -> tuple[Address, ...]:
    """Return the devices to measure on: those of ``--device``, or all of the devices file if none is given.

    Raises:
        InvalidArgumentError: a text is not an address, or a device is named twice.
    """
    chosen = [known[text] if text in known else parse_address(text, known=known) for text in given] or list(
        known.values()
    )
    seen: dict[tuple[object, ...], str] = {}
    for address in chosen:
        place = (address.kind, address.host, address.user, address.port, address.serial)
        if place in seen:
            raise InvalidArgumentError(f"{seen[place]} and {address.name} are one device; measure it once")
        seen[place] = address.name
    return tuple(chosen)
