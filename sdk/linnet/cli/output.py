"""Files that a command writes: refused early where one stands already, and never half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from linnet.errors import InvalidArgumentError

__all__ = ["refuse_existing", "refuse_same", "write_text"]


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse to overwrite, before minutes of work are spent.

    Raises:
        InvalidArgumentError: the file exists and ``force`` is False, or its folder does not.
    """
    if path.is_dir():
        raise InvalidArgumentError(f"{path} is a folder, needed the name of a file")
    if path.exists() and not force:
        raise InvalidArgumentError(f"{path} exists; give another name, or --force to replace it")
    if not path.parent.is_dir():
        raise InvalidArgumentError(f"{path.parent} is not a folder; make it first")


def refuse_same(output: Path, source: Path) -> None:
    """Refuse to write over the file that is read, which ``force`` alone would allow.

    Raises:
        InvalidArgumentError: both are the same file.
    """
    if output.resolve() == source.resolve():
        raise InvalidArgumentError(f"{output} is the model's own file; give the output another name")


def write_text(text: str, path: Path, *, force: bool = False) -> None:
    """Write UTF-8 beside the final name and then rename it, so that no reader sees half of it.

    Raises:
        InvalidArgumentError: see :func:`refuse_existing`.
        OSError: it cannot be written.
    """
    refuse_existing(path, force=force)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        aside.chmod(0o644)  # mkstemp gives 0600, and the file is there to be read
        aside.replace(path)
    except BaseException:
        aside.unlink()
        raise
