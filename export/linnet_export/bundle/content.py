"""Writing of a bundle: idempotent, without overwriting files of others."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from linnet.atomic_file import named_full_disk
from linnet.errors import InvalidArgumentError

__all__ = ["MARK", "Content", "Kind", "Written", "collect", "write"]

Content: TypeAlias = dict[str, bytes | Path]
"""Bytes of a file, or the path that it is copied from, by its path in the folder."""

MARK = "linnet-bundle.json"
"""Names every file that was written, with its SHA-256; and of which target and model the bundle is."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """Of what a folder is the bundle.

    Attributes:
        target: what kind of project.
        models: names of the files as identifiers.
    """

    target: str
    models: tuple[str, ...]

    def __str__(self) -> str:
        """``intents, qa for android``."""
        return f"{', '.join(self.models)} for {self.target}"


@dataclasses.dataclass(frozen=True)
class Written:
    """Changes that a bundle made in its folder.

    Attributes:
        written: paths of the files that are new or other than before.
        removed: paths of the earlier bundle's files that are not part of this one.
    """

    written: tuple[str, ...]
    removed: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Mark:
    """Record of the bundle in a folder; ``kind`` is None in an empty folder, or if an older linnet wrote none."""

    kind: Kind | None = None
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def json(self) -> bytes:
        kind = {} if self.kind is None else {"target": self.kind.target, "model": " ".join(self.kind.models)}
        return json.dumps({**kind, "files": self.files}, indent=1, sort_keys=True).encode() + b"\n"


def collect(folder: Path, into: str) -> Content:
    """Return all files below a folder, to be put below ``into``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {f"{into}/{path.relative_to(folder).as_posix()}": path for path in files}


def write(content: Content, folder: Path, kind: Kind, *, force: bool = False) -> Written:
    """Write the files that are not there yet as they should be; return what was changed.

    Files of an earlier bundle that are not part of this one any more go, and so do folders that this leaves empty.

    Args:
        content: every file.
        folder: where to write.
        kind: of what this is the bundle.
        force: replace the bundle of another target or of other models; files that were changed are kept from this too.

    Raises:
        InvalidArgumentError: the folder has other content, the bundle of another target or model, or a file that was
            changed since it was written.
        NoSpaceError: there is no room for it; the folder is as it was.
        OSError: it cannot be written.
    """
    folder = folder.absolute()
    before = _read_mark(folder)
    if not force:
        _check_kind(folder, before.kind, kind)
    wanted = {name: data if isinstance(data, bytes) else data.read_bytes() for name, data in sorted(content.items())}
    now = _Mark(kind, {name: hashlib.sha256(data).hexdigest() for name, data in wanted.items()})
    there = _hashes(folder, before.files.keys() | now.files.keys())
    _check_changes(folder, there, before.files, now.files)
    changed = {name: data for name, data in wanted.items() if there.get(name) != now.files[name]}
    if changed or before != now:
        _publish({**changed, MARK: now.json()}, folder)
    removed = _remove(sorted(before.files.keys() - now.files.keys()), folder)
    return Written(tuple(changed), removed)


def _hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of those of the files that are there."""
    found = {name: folder / name for name in sorted(names)}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items() if path.is_file()}


def _publish(files: Mapping[str, bytes], folder: Path) -> None:
    """Put the files into the folder once all of them are written, in a folder beside it; nothing stays if that fails.

    The mark comes first where there is none, so that a folder that was left half-way counts as linnet's, and last where
    there is one: until then each file is as one of the two marks says.
    """
    aside = folder.with_name(f".{folder.name[:40]}.{os.urandom(8).hex()}")
    try:
        with named_full_disk(folder, sum(map(len, files.values()))):
            for name, data in files.items():
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                (aside / name).write_bytes(data)
            if not folder.exists():
                aside.rename(folder)
                return
            marked = (folder / MARK).exists()
            for name in sorted(files, key=lambda name: (name == MARK) == marked):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (aside / name).replace(folder / name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _remove(names: Iterable[str], folder: Path) -> tuple[str, ...]:
    removed = tuple(name for name in names if (folder / name).exists())
    for name in removed:
        (folder / name).unlink()
        for parent in (folder / name).relative_to(folder).parents[:-1]:  # without the folder itself, which stays
            if any((folder / parent).iterdir()):
                break
            (folder / parent).rmdir()
    return removed


def _read_mark(folder: Path) -> _Mark:
    if not folder.exists() or not any(folder.iterdir()):
        return _Mark()
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        files = {str(name): str(value) for name, value in mark["files"].items()}
        kind = Kind(str(mark["target"]), tuple(str(mark["model"]).split())) if "target" in mark else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidArgumentError(
            f"{folder} has content that linnet bundle did not write; give a folder that is empty or not there"
        ) from error
    return _Mark(kind, files)


def _check_kind(folder: Path, found: Kind | None, wanted: Kind) -> None:
    """Refuse to replace a bundle, but not to add models to it."""
    if found is not None and not (found.target == wanted.target and set(found.models) <= set(wanted.models)):
        raise InvalidArgumentError(
            f"{folder} has the bundle of {found}, not of {wanted}; give another folder, or --force to replace it"
        )


def _check_changes(
    folder: Path, there: Mapping[str, str], before: Mapping[str, str], wanted: Mapping[str, str]
) -> None:
    changed = [name for name, now in there.items() if now not in (before.get(name), wanted.get(name))]
    if changed:
        raise InvalidArgumentError(
            f"{folder}: {', '.join(changed)} changed since linnet bundle wrote it; "
            "move your changes, or give another folder"
        )
