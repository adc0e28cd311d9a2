"""Output files of commands: early checks of the path, and atomic writing."""

from __future__ import annotations

from pathlib import Path

from linnet.atomic_file import replace_file
from linnet.errors import InvalidArgumentError

__all__ = ["check_not_input", "check_output_path", "write_text"]


def check_output_path(path: Path, *, force: bool) -> None:
    """Check that a path can be written; commands call this before work that takes minutes.

    Raises:
        InvalidArgumentError: the file exists and ``force`` is False, the path is a folder, or its folder is missing.
    """
    if path.is_dir():
        raise InvalidArgumentError(f"{path} is a folder, expected the name of a file")
    if path.exists() and not force:
        raise InvalidArgumentError(f"{path} exists; give another name, or --force to replace it")
    if not path.parent.is_dir():
        raise InvalidArgumentError(f"{path.parent} is not a folder; make it first")


def check_not_input(output: Path, source: Path) -> None:
    """Check that the output is not the input file, which ``force`` would overwrite.

    Raises:
        InvalidArgumentError: both paths are the same file.
    """
    if output.resolve() == source.resolve():
        raise InvalidArgumentError(f"{output} is the model's own file; give the output another name")


def write_text(text: str, path: Path, *, force: bool = False) -> None:
    """Write a text as UTF-8 to a temporary file and rename it, so that no reader sees a partial file.

    Raises:
        InvalidArgumentError: see :func:`check_output_path`.
        OSError: the file cannot be written.
    """
    check_output_path(path, force=force)
    replace_file(path, text)
