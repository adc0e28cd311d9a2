"""Folders of files that tests share: made by the process that needs them first, kept until what makes them changes.

The workers of pytest-xdist are such processes, and so are later runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import linnet_runtime

__all__ = ["KEPT", "ROOT", "exporting_sources", "kept_folder", "source_hash"]

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "test-programs"


def kept_folder(name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of :data:`KEPT`, which ``make`` fills if it is not there; other processes wait meanwhile."""
    folder = KEPT / name
    if not folder.is_dir():
        with _alone(name):
            if not folder.is_dir():
                with tempfile.TemporaryDirectory(dir=KEPT) as temporary:
                    fresh = Path(temporary, "fresh")
                    fresh.mkdir()
                    make(fresh)
                    fresh.rename(folder)
    return folder


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@functools.cache
def source_hash(*files: Path) -> str:
    """Hash the bytes of files, as 16 hexadecimal digits."""
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


@functools.cache
def exporting_sources(more: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """Return all that decides about an exported file: exporter, SDK, runtime, and ``more`` files of the repository."""
    python = [*sorted((ROOT / "export").rglob("*.py")), *sorted((ROOT / "sdk" / "linnet").rglob("*.py"))]
    libraries = sorted((Path(linnet_runtime.__file__).parent / "lib").glob("liblinnet*"))
    return (*python, *libraries, *(ROOT / name for name in more))
