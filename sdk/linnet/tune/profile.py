"""What ``linnet tune`` found, stored and applied. Nothing is guessed: another machine or file is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from linnet.bench.record import from_data
from linnet.errors import InvalidArgumentError
from linnet.runtime import runtime_info
from linnet.self_test import cache_folder
from linnet.tune.settings import Setting

__all__ = ["AUTO", "TunedFile", "TuningProfile", "find_setting", "machine_name", "profile_path", "read_profile"]

AUTO = "auto"
KIND, VERSION = "linnet-profile", "1.0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TunedFile:
    """The best setting of one file.

    Attributes:
        name: of the file, without folder.
        recipe: as in its manifest.
        setting: the choice.
        score_ns: geometric mean of p50 over the lengths.
        longest: most tokens whose p90 stays below the limit that was asked for; None if none was, or none does.
    """

    name: str
    recipe: str
    setting: Setting
    score_ns: float
    longest: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class TuningProfile:
    """The result of ``linnet tune``.

    Attributes:
        kind, schema_version: what this document is.
        created: ISO 8601 in UTC.
        machine: of :func:`machine_name`.
        lengths: tokens that the score is of.
        files: by the SHA-256 of their footers, as :func:`linnet.self_test.file_identity` gives it.
        best: the fastest of them.
        reason: why, in a sentence.
    """

    kind: str = KIND
    schema_version: str = VERSION
    created: str
    machine: str
    lengths: tuple[int, ...]
    files: Mapping[str, TunedFile]
    best: str
    reason: str

    def to_json(self) -> str:
        """Return indented JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1) + "\n"


def machine_name(info: Mapping[str, str] | None = None, cpus: int | None = None) -> str:
    """Return what a profile holds for: processor, its features, number of CPUs.

    Args:
        info: of ``runtime_info()``; None: ask it.
        cpus: of the machine; None: ask the system.
    """
    told = runtime_info() if info is None else info
    count = (os.cpu_count() or 1) if cpus is None else cpus
    return f"{told.get('cpu') or 'unknown'} ({told.get('cpu_features') or 'no features known'}), {count} CPUs"


def profile_path(identity: str, machine: str) -> Path | None:
    """Return where the profile of a file on a machine is kept, None where there is no cache folder."""
    folder = cache_folder()
    return None if folder is None else folder / "profiles" / f"{identity}-{zlib.crc32(machine.encode()):08x}.json"


def read_profile(path: Path) -> TuningProfile:
    """Read a profile.

    Raises:
        InvalidArgumentError: it is missing, or no profile that this linnet reads.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{path}: no profile of linnet tune can be read there: {error}") from error
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise InvalidArgumentError(f'{path}: found no "kind": "{KIND}", needed what linnet tune -o wrote')
    if str(data.get("schema_version")).split(".")[0] != VERSION.split(".")[0]:
        raise InvalidArgumentError(
            f"{path}: the profile has schema {data.get('schema_version')}, this linnet reads 1.x"
        )
    return from_data(TuningProfile, data, "profile")


def find_setting(profile: str | os.PathLike[str], identity: str) -> Setting | None:
    """Return the setting for a file on this machine.

    Args:
        profile: a path, or "auto": what was tuned here, if it was.
        identity: of the file, from :func:`linnet.self_test.file_identity`.

    Returns:
        None with "auto" where nothing was tuned.

    Raises:
        InvalidArgumentError: the profile is unreadable, or of another machine or file.
    """
    machine = machine_name()
    path = profile_path(identity, machine) if profile == AUTO else Path(profile)
    if path is None or (profile == AUTO and not path.is_file()):
        return None
    found = read_profile(path)
    if found.machine != machine:
        raise InvalidArgumentError(
            f"{path}: the profile is of {found.machine}, this machine is {machine}; run linnet tune here"
        )
    if identity not in found.files:
        names = ", ".join(each.name for each in found.files.values())
        raise InvalidArgumentError(f"{path}: the profile is of {names}, not of this file; run linnet tune with it")
    return found.files[identity].setting
