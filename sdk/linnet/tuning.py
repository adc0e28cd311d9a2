"""Settings that ``linnet tune`` stored for a file on this machine, read and applied by ``linnet.load(profile=...)``.

The file is JSON: ``kind``, ``schema_version``, ``machine``, and ``files`` by :func:`file_identity`, each with a
``setting`` of ``threads``, ``affinity`` and ``fused``. ``linnet_bench.tune`` writes it. A profile of another machine or
file is refused.
"""

from __future__ import annotations

import dataclasses
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.cache import cache_folder
from linnet.errors import InvalidArgumentError
from linnet.format.footer import file_identity
from linnet.runtime import runtime_info, verify_file

__all__ = [
    "AUTO",
    "KIND",
    "VERSION",
    "TunedSetting",
    "apply_profile",
    "find_setting",
    "machine_name",
    "profile_path",
    "read_document",
]

AUTO = "auto"
KIND, VERSION = "linnet-profile", "1.0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TunedSetting:
    """The setting of one file.

    Attributes:
        threads: of the process.
        affinity: CPUs that it is bound to; empty: all.
        fused: whether linnet's own kernels run.
    """

    threads: int
    affinity: tuple[int, ...] = ()
    fused: bool = False


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


def read_document(path: Path) -> dict[str, Any]:
    """Read a profile as plain data, its kind and version checked.

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
    return data


def find_setting(profile: str | os.PathLike[str], identity: str) -> TunedSetting | None:
    """Return the setting for a file on this machine.

    Args:
        profile: a path, or "auto": what was tuned here, if it was.
        identity: of the file, from :func:`linnet.format.footer.file_identity`.

    Returns:
        None with "auto" where nothing was tuned.

    Raises:
        InvalidArgumentError: the profile is unreadable, or of another machine or file.
    """
    machine = machine_name()
    path = profile_path(identity, machine) if profile == AUTO else Path(profile)
    if path is None or (profile == AUTO and not path.is_file()):
        return None
    data = read_document(path)
    if data.get("machine") != machine:
        raise InvalidArgumentError(
            f"{path}: the profile is of {data.get('machine')}, this machine is {machine}; run linnet tune here"
        )
    try:
        files = dict(data["files"])
        if identity in files:
            return _setting(files[identity]["setting"])
        names = ", ".join(str(file["name"]) for file in files.values())
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{path}: the profile is damaged ({error}); run linnet tune again") from error
    raise InvalidArgumentError(f"{path}: the profile is of {names}, not of this file; run linnet tune with it")


def _setting(data: Mapping[str, Any]) -> TunedSetting:
    threads, affinity, fused = data["threads"], tuple(data["affinity"]), data["fused"]
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (threads, *affinity))
    if not whole or not isinstance(fused, bool):
        raise ValueError(f"expected whole numbers and a bool, got {dict(data)}")
    return TunedSetting(threads=threads, affinity=affinity, fused=fused)


def apply_profile(
    source: str | bytes, profile: str | os.PathLike[str], *, threads: int, fused: bool | None, sessions: int
) -> tuple[int, bool | None]:
    """Return the number of threads and whose attention: as given, else as the profile says.

    Args:
        source: path or bytes of the file.
        profile: path, or "auto".
        threads, fused, sessions: as given to ``linnet.load``; several sessions keep one thread each.

    Raises:
        InvalidArgumentError: the profile is unreadable, or of another machine or file, or its CPUs are not usable.
        FileError: the file is missing or damaged.
    """
    if not isinstance(profile, str | os.PathLike):
        raise InvalidArgumentError(f'profile is {profile!r}, needed a path, "auto" or None')
    if not isinstance(source, bytes) and not Path(source).is_file():
        verify_file(source)  # says what is wrong with it
    setting = find_setting(profile, file_identity(source))
    if setting is None:
        return threads, fused
    if setting.affinity and threads == 0 and sessions == 1:
        _bind(setting.affinity)
    chosen = threads or (0 if sessions > 1 else setting.threads)
    return chosen, setting.fused if fused is None else fused


def _bind(cpus: tuple[int, ...]) -> None:
    try:
        os.sched_setaffinity(0, cpus)
    except (AttributeError, OSError) as error:
        raise InvalidArgumentError(
            f"the profile's CPUs {list(cpus)} are not usable here; run linnet tune again"
        ) from error
