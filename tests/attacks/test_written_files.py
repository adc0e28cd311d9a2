"""Files that linnet writes: no link is followed, the umask is honoured, nothing is left behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linnet import self_test
from linnet.atomic_file import replace_file
from linnet.cli.output import write_text
from linnet_export.output.deliver import atomic_write


def _note(path: Path) -> None:
    self_test._write(path, "machine")


def _exported(path: Path) -> None:
    with atomic_write(path, 7) as aside:
        aside.write_bytes(b"program")


WRITERS: dict[str, Callable[[Path], None]] = {
    "page or record": lambda path: write_text("<html>", path, force=True),
    "cache note": _note,
    "exported file": _exported,
    "bytes": lambda path: replace_file(path, b"bytes"),
}


@pytest.fixture(params=[0o077, 0o022, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("writer", WRITERS)
def test_the_umask_decides_who_may_read(writer: str, umask: int, tmp_path: Path) -> None:
    path = tmp_path / "out"
    for _ in range(2):  # a new file, and one that is replaced
        WRITERS[writer](path)
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("writer", WRITERS)
def test_no_link_is_followed(writer: str, tmp_path: Path) -> None:
    """The path itself, and every name that could be guessed beside it, leads to somebody's file."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "shared"
    folder.mkdir()
    pid = os.getpid()
    for name in ("out", f"out.{pid}", f".out.{pid}", f".out.partial-{pid}", ".out.tmp", "out.tmp"):
        (folder / name).symlink_to(victim)
    WRITERS[writer](folder / "out")
    assert victim.read_text() == "mine"
    assert not (folder / "out").is_symlink()


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "inside").touch()  # a folder cannot be replaced by a file
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "out", b"bytes")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_long_name_has_room_for_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    replace_file(path, "text")
    assert path.read_text() == "text"
