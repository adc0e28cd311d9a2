"""Directories that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from linnet.atomic_file import named_full_disk

__all__ = ["atomic_directory"]


@contextlib.contextmanager
def atomic_directory(output: Path, size: int) -> Iterator[Path]:
    """Yield a new directory beside ``output``; at the end of the block it takes the place of ``output``.

    If the block fails or is interrupted, the new directory is removed and the old one stays. Files have
    :func:`linnet_export.output.deliver.atomic_write`.

    Args:
        output: the directory to write or to replace.
        size: bytes that it needs, for the error.

    Raises:
        NoSpaceError: there is no room for it.
    """
    aside = output.with_name(f".{output.name}.partial-{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    with named_full_disk(output, size):
        try:
            aside.mkdir(parents=True)
            yield aside
            shutil.rmtree(output, ignore_errors=True)  # a directory replaces only an empty one
            aside.replace(output)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
