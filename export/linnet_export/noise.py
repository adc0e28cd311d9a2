"""Keeps what third-party code prints out of sight, in a log file."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

__all__ = ["captured_noise"]


@contextlib.contextmanager
def captured_noise() -> Iterator[tuple[TextIO, Path]]:
    """Send everything that is printed to a log file, native libraries included.

    Yields:
        a text stream to the real standard error, for progress, and the path of the log. The log is
        removed when the block ends well or nothing was printed, and kept otherwise.
    """
    handle, name = tempfile.mkstemp(prefix="linnet-export-", suffix=".log")
    path = Path(name)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace")
    try:
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            yield terminal, path
        path.unlink(missing_ok=True)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        terminal.close()
        for descriptor in (handle, *saved):
            os.close(descriptor)
        if path.exists() and path.stat().st_size == 0:
            path.unlink()
