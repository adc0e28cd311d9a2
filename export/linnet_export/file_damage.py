"""Damage of a checkpoint's files: Git LFS pointers, empty files, files that are cut off."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from linnet_export.errors import CheckpointError

__all__ = ["check_present", "parse_json", "read_json", "read_json_if_there", "safetensors_header"]

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_MOST_HEADER_BYTES = 100_000_000  # the limit of the safetensors library


def check_present(path: Path) -> None:
    """Refuse a file that is empty, or a Git LFS pointer to what should be there.

    Raises:
        CheckpointError: it is one of these.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_LFS_POINTER))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not start:
        raise CheckpointError(f"{path} is empty, expected {path.suffix or 'data'}; copy or download it again")
    if start == _LFS_POINTER:
        raise CheckpointError(
            f"{path} is a Git LFS pointer, expected the file that it stands for; run git lfs pull in {path.parent}"
        )


def parse_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        CheckpointError: the file is missing, empty, cut off, a Git LFS pointer or no JSON.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is missing")
    check_present(path)
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise CheckpointError(
                f"{path} is cut off after {path.stat().st_size} bytes; copy or download it again"
            ) from error
        raise CheckpointError(f"{path} cannot be read as JSON: {error}") from error
    except RecursionError as error:
        raise CheckpointError(f"{path} cannot be read as JSON: it is nested too deeply") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON: {error}") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        CheckpointError: the file is missing, damaged or does not hold an object.
    """
    value = parse_json(path)
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: expected a JSON object, got {type(value).__name__}")
    return value


def read_json_if_there(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, an empty one if there is no such file.

    Raises:
        CheckpointError: the file is damaged or does not hold an object.
    """
    return read_json(path) if path.is_file() else {}


def safetensors_header(path: Path) -> dict[str, Any]:
    """Return name -> dtype, shape and offsets of the tensors of a safetensors file, read without their bytes.

    Raises:
        CheckpointError: the file is empty, cut off, a Git LFS pointer or something else.
    """
    check_present(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        cut = len(start) < 8 or (length <= _MOST_HEADER_BYTES and 8 + length > size)
        header = b"" if cut or length > _MOST_HEADER_BYTES else file.read(length)
    if cut:
        raise _cut_off(path, size, 8 + length)
    try:
        tensors = dict(json.loads(header))
        tensors.pop("__metadata__", None)
        end = 8 + length + max((int(tensor["data_offsets"][1]) for tensor in tensors.values()), default=0)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is no safetensors file (its header cannot be read); copy or download it again"
        ) from error
    if end > size:
        raise _cut_off(path, size, end)
    return tensors


def _cut_off(path: Path, size: int, expected: int) -> CheckpointError:
    return CheckpointError(f"{path} is cut off: {size} of {expected} bytes are there; copy or download it again")
