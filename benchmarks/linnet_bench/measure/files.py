"""SHA-256 of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from linnet.errors import FileMissingError, FileUnreadableError
from linnet.suggestions import similar_model

__all__ = ["file_sha256"]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal.

    Raises:
        FileMissingError: there is no such file.
        FileUnreadableError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise FileMissingError(f"{path}: there is no such file{similar_model(str(path))}") from error
    except OSError as error:
        raise FileUnreadableError(f"{path}: cannot be read: {error.strerror}") from error
