"""Tuned settings of ``linnet tune``: reading them, and applying them in ``linnet.load(profile=...)``.

``linnet_bench.tune`` writes them to a JSON file with ``kind``, ``schema_version``, ``machine``, and ``files`` by
:func:`file_identity`, each with a ``setting`` of ``threads``, ``affinity`` and ``fused``. Tuned settings of another
machine or file are an error.
"""

from __future__ import annotations

import dataclasses
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.cache import cache_folder
from linnet.errors import InvalidArgumentError
from linnet.format.bounded_json import parse_json
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
    """Tuned setting of one file.

    Attributes:
        threads: number of threads of the process.
        affinity: CPUs that the process is bound to; empty: all.
        fused: True if the custom kernels run.
    """

    threads: int
    affinity: tuple[int, ...] = ()
    fused: bool = False


def machine_name(info: Mapping[str, str] | None = None, cpus: int | None = None) -> str:
    """Return the name of a machine in tuned settings: processor, its features and number of CPUs.

    Args:
        info: result of ``runtime_info()``; None: that of this machine.
        cpus: number of CPUs; None: that of this machine.
    """
    told = runtime_info() if info is None else info
    count = (os.cpu_count() or 1) if cpus is None else cpus
    return f"{told.get('cpu') or 'unknown'} ({told.get('cpu_features') or 'no features known'}), {count} CPUs"


def profile_path(identity: str, machine: str) -> Path | None:
    """Return the path of the tuned setting of a file and a machine, or None if there is no cache folder."""
    folder = cache_folder()
    return None if folder is None else folder / "profiles" / f"{identity}-{zlib.crc32(machine.encode()):08x}.json"


def read_document(path: Path) -> dict[str, Any]:
    """Read the JSON document of a tuned setting, and check its kind and version.

    Raises:
        InvalidArgumentError: the file is missing, or not a document that this linnet can read.
    """
    try:
        data = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{path}: no profile of linnet tune can be read there: {error}") from error
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise InvalidArgumentError(f'{path}: found no "kind": "{KIND}", expected what linnet tune -o wrote')
    if str(data.get("schema_version")).split(".")[0] != VERSION.split(".")[0]:
        raise InvalidArgumentError(
            f"{path}: the profile has schema {data.get('schema_version')}, this linnet reads 1.x"
        )
    return data


def find_setting(profile: str | os.PathLike[str], identity: str) -> TunedSetting | None:
    """Return the tuned setting of a file on this machine.

    Args:
        profile: a path, or "auto" for the cache folder.
        identity: result of :func:`linnet.format.footer.file_identity`.

    Returns:
        The setting; None if ``profile`` is "auto" and none is stored.

    Raises:
        InvalidArgumentError: the document is unreadable, or of another machine or file.
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
    """Apply a tuned setting: bind to its CPUs, and return ``threads`` and ``fused``, which given values override.

    Args:
        source: path or bytes of the file.
        profile: a path, or "auto" for the cache folder.
        threads, fused, sessions: arguments of ``linnet.load``; several sessions ignore the threads and the CPUs of
            the setting, and a given number of threads ignores its CPUs.

    Raises:
        InvalidArgumentError: the document is unreadable, or of another machine or file, or its CPUs are not usable.
        FileError: the file is missing or damaged.
    """
    if not isinstance(profile, str | os.PathLike):
        raise InvalidArgumentError(f'profile is {profile!r}, expected a path, "auto" or None')
    if not isinstance(source, bytes) and not Path(source).is_file():
        verify_file(source)  # raises the error of the file
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
