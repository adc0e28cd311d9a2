"""Atomic writing of files: under a random name in the same folder, then renamed."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["create_beside", "replace_file"]


def create_beside(path: Path, mode: int = 0o666) -> tuple[int, Path]:
    """Create an empty file in the folder of a path, which is to replace it.

    The name is random and must not exist, so a link that somebody put there is not followed.

    Args:
        path: the file to replace later.
        mode: permissions, less the umask.

    Returns:
        The open descriptor, which the caller closes, and the path of the new file.

    Raises:
        OSError: the file cannot be created.
    """
    aside = path.with_name(f".{path.name[:40]}.{os.urandom(8).hex()}")
    return os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), aside


def replace_file(path: Path, data: str | bytes, mode: int = 0o666) -> None:
    """Write a file so that no reader sees a part of it, and nothing stays behind if it fails.

    Args:
        path: the file to write or to replace.
        data: its content; a str is written as UTF-8.
        mode: permissions, less the umask.

    Raises:
        OSError: the file cannot be written.
    """
    content = data.encode() if isinstance(data, str) else data
    descriptor, aside = create_beside(path, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
