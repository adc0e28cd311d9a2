"""Atomic writing of the output file and its trailer."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from linnet.atomic_file import create_beside, named_full_disk
from linnet.errors import InvalidArgumentError
from linnet.format.evidence import Evidence
from linnet.format.trailer import build_trailer
from linnet.suggestions import MODEL_SUFFIXES
from linnet_export.config import ExportConfig
from linnet_export.errors import OutputExistsError

__all__ = ["atomic_write", "check_format", "choose_output", "write_trailer"]


def choose_output(config: ExportConfig) -> Path:
    """Return the path of the file to write.

    Raises:
        InvalidArgumentError: the file is named like one of another format.
        OutputExistsError: the file exists (without `force`), or its directory is missing or not writable.
    """
    name = config.model.rstrip("/").rsplit("/", 1)[-1]
    if name in ("", ".", ".."):
        name = Path(config.model).resolve().name
    output = config.output or Path(f"{name}.pte")
    check_format(output)
    if output.is_dir():
        raise OutputExistsError(f"expected output to be the path of a file, got the directory {output}")
    if output.exists() and not config.force:
        raise OutputExistsError(f"{output} is there already; --force overwrites it, -o chooses another path")
    if not output.parent.is_dir():
        raise OutputExistsError(f"{output.parent} is not a directory; make it first")
    if not os.access(output.parent, os.W_OK):
        raise OutputExistsError(f"{output.parent} is not writable")
    return output


def check_format(output: Path) -> None:
    """Check that a file to write is not named like one of another format.

    Raises:
        InvalidArgumentError: it is.
    """
    suffix = output.suffix.lower()
    if suffix in MODEL_SUFFIXES - {".pte"}:
        raise InvalidArgumentError(
            f"{output} is named like another format; linnet writes ExecuTorch programs: name it {output.stem}.pte"
        )


@contextlib.contextmanager
def atomic_write(output: Path, size: int) -> Iterator[Path]:
    """Yield a temporary path in the same directory; at the end of the block, rename it to ``output``.

    If the block fails or is interrupted, the temporary file is removed. Processes that have mapped an
    earlier ``output`` into memory keep its contents.

    Args:
        output: the file to write or to replace.
        size: bytes that it needs, for the error.

    Raises:
        NoSpaceError: there is no room for it.
    """
    with named_full_disk(output, size):
        descriptor, partial = create_beside(output)
        os.close(descriptor)
        try:
            yield partial
            # without fsync, a crash after the rename could leave an incomplete file
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(output)
        finally:
            partial.unlink(missing_ok=True)


def write_trailer(path: Path, program: bytes, ranges: Sequence[tuple[int, int]], evidence: Evidence) -> None:
    """Write a program and its trailer; if the file already has the program, write only the trailer."""
    trailer = build_trailer(program, ranges, evidence.to_json())
    if not path.exists() or not path.stat().st_size:
        path.write_bytes(program)
    with path.open("r+b") as file:
        file.truncate(len(program))
        file.seek(len(program))
        file.write(trailer)
