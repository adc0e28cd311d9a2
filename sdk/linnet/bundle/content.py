"""The files of a project part: collected, then written once, and never over somebody else's work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from linnet.errors import InvalidArgumentError

__all__ = ["MARK", "Content", "collect", "write"]

Content: TypeAlias = dict[str, bytes | Path]
"""What a file holds, or where it is copied from, by path in the folder."""

MARK = "linnet-bundle.json"
"""Names every file that was written, with its SHA-256."""


def collect(folder: Path, into: str) -> Content:
    """Return all files below a folder, to be put below ``into``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {f"{into}/{path.relative_to(folder).as_posix()}": path for path in files}


def write(content: Content, folder: Path) -> list[str]:
    """Write the files that are not there yet as they should be; return their paths.

    Files of an earlier bundle that are not part of this one any more go.

    Raises:
        InvalidArgumentError: the folder has other content, or a file was changed since it was written.
    """
    before = _read_mark(folder)
    wanted = {name: data if isinstance(data, bytes) else data.read_bytes() for name, data in sorted(content.items())}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in wanted.items()}
    _refuse_changes(folder, before, hashes)
    written = []
    for name, data in wanted.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            written.append(name)
    for name in before.keys() - hashes.keys():
        (folder / name).unlink(missing_ok=True)
    mark = json.dumps({"files": hashes}, indent=1, sort_keys=True).encode() + b"\n"
    if written or before != hashes:
        (folder / MARK).write_bytes(mark)
    return written


def _read_mark(folder: Path) -> dict[str, str]:
    if not folder.exists() or not any(folder.iterdir()):
        return {}
    try:
        files = json.loads((folder / MARK).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidArgumentError(
            f"{folder} has content that linnet bundle did not write; give a folder that is empty or not there"
        ) from error
    return {str(name): str(value) for name, value in files.items()}


def _refuse_changes(folder: Path, before: Mapping[str, str], hashes: Mapping[str, str]) -> None:
    changed = []
    for name in sorted(before.keys() | hashes.keys()):
        path = folder / name
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if found is not None and found not in (before.get(name), hashes.get(name)):
            changed.append(name)
    if changed:
        raise InvalidArgumentError(
            f"{folder}: {', '.join(changed)} changed since linnet bundle wrote it; "
            "move your changes, or give another folder"
        )
