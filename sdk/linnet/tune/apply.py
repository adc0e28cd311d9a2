"""Applies a profile when a file is loaded."""

from __future__ import annotations

import os
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet.runtime import verify_file
from linnet.self_test import file_identity
from linnet.tune.profile import find_setting

__all__ = ["apply_profile"]


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
