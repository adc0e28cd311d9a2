"""Atomic writing of files: under a random name in the same folder, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from linnet.errors import LinnetError, NoSpaceError

__all__ = ["create_beside", "is_full_disk", "named_full_disk", "replace_file"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# how Rust, shutil.copytree, torch.save and SQLite say it
_SAID = (*map(os.strerror, _FULL), "inline_container", "iostream error", "disk is full")


def is_full_disk(error: BaseException) -> bool:
    """Return whether an error, perhaps of another library, says that the disk or a quota is full."""
    if isinstance(error, LinnetError):  # its message may quote a text
        return isinstance(error, NoSpaceError)
    return getattr(error, "errno", None) in _FULL or any(said in str(error) for said in _SAID)


@contextlib.contextmanager
def named_full_disk(path: Path, size: int) -> Iterator[None]:
    """Raise NoSpaceError, which names the path and the bytes that it needs, if the block fails for lack of space."""
    try:
        yield
    except Exception as error:
        if isinstance(error, LinnetError) or not is_full_disk(error):
            raise
        reason = next((said for said in _SAID[:3] if said in str(error)), _SAID[0])
        raise NoSpaceError(
            f"{path} cannot be written: {reason}, at least {size} bytes are needed; "
            "nothing of it was left behind: make room and give the same command again"
        ) from error


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
        NoSpaceError: there is no room for it.
        OSError: the file cannot be written.
    """
    content = data.encode() if isinstance(data, str) else data
    with named_full_disk(path, len(content)):
        descriptor, aside = create_beside(path, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
