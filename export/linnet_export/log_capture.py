"""Redirection of the output of third-party code, native libraries included, to a log file."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from linnet.printable import escaping

__all__ = ["redirect_output"]


@contextlib.contextmanager
def redirect_output() -> Iterator[tuple[TextIO, Path]]:
    """Send everything that is printed to a log file, native libraries included.

    Yields:
        a text stream to the real standard error, for progress, and the path of the log, which the next
        run replaces.
    """
    path = _log_path()
    path.unlink(missing_ok=True)  # another run that still writes to it keeps its own file
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    terminal = escaping(os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace"))
    try:
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            yield terminal, path
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        terminal.close()
        for descriptor in (handle, *saved):
            os.close(descriptor)


def _log_path() -> Path:
    """Return `linnet/export.log` in the user's cache folder, or in the temporary one if that is closed to us."""
    cache = os.environ.get("XDG_CACHE_HOME")
    for folder in (Path(cache) if cache else Path.home() / ".cache", Path(tempfile.gettempdir())):
        try:
            (folder / "linnet").mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder / "linnet", os.W_OK):
            return folder / "linnet" / "export.log"
    raise PermissionError(
        "expected the cache folder or the temporary folder to be writable for the log, got neither; "
        "set XDG_CACHE_HOME to a writable folder"
    )
