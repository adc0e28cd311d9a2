"""No space left: one error with path and bytes, status 5, nothing half-written, and the same command works later."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from linnet.atomic_file import is_full_disk, named_full_disk, replace_file
from linnet.cli.exit_status import RUN_FAILED, exit_status
from linnet.cli.output import write_text
from linnet.errors import LinnetError, NoSpaceError
from linnet_export.output.deliver import atomic_write
from linnet_export.proof.device import FORWARD, run_on_device
from linnet_export.proof.texts import ProofText
from linnet_train.atomic import atomic_directory

LIMIT = 64 * 1024


@pytest.fixture
def full() -> Iterator[None]:
    """Let this process write files of at most 64 KiB: the kernel refuses more, as on a disk without space."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def _page(path: Path) -> None:
    write_text("x" * (LIMIT + 1), path, force=True)


def _exported(path: Path) -> None:
    with atomic_write(path, LIMIT + 1) as aside:
        aside.write_bytes(bytes(LIMIT + 1))


def _safetensors(path: Path) -> None:
    with atomic_write(path, LIMIT + 1) as aside:
        save_file({"weight": torch.zeros(LIMIT)}, str(aside))


def _torch(path: Path) -> None:
    with atomic_write(path, LIMIT + 1) as aside:
        torch.save({"weight": torch.zeros(LIMIT)}, aside)


def _directory(path: Path) -> None:
    with atomic_directory(path, LIMIT + 1) as aside:
        (aside / "first").touch()
        (aside / "second").write_bytes(bytes(LIMIT + 1))


WRITERS: dict[str, Callable[[Path], None]] = {
    "page or record": _page,
    "exported file": _exported,
    "safetensors": _safetensors,
    "torch": _torch,
    "directory": _directory,
}


@pytest.mark.parametrize("writer", WRITERS)
def test_one_error_names_path_and_bytes_and_nothing_is_left(writer: str, tmp_path: Path, full: None) -> None:
    with pytest.raises(NoSpaceError) as caught:
        WRITERS[writer](tmp_path / "out")
    assert str(tmp_path / "out") in str(caught.value)
    assert f"at least {LIMIT + 1} bytes are needed" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert exit_status(caught.value) == RUN_FAILED


def test_a_quota_that_ends_in_the_process_of_the_proof(toys: Path, tmp_path: Path, full: None) -> None:
    with pytest.raises(NoSpaceError, match=f"{tmp_path} cannot be written: File too large"):
        run_on_device(toys / "toy.pte", [ProofText("turn the volume down")] * 500, tmp_path, FORWARD)


def test_the_file_that_was_there_stays(tmp_path: Path, full: None) -> None:
    path = tmp_path / "out"
    replace_file(path, "before")
    with pytest.raises(NoSpaceError):
        _page(path)
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), True),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), True),
        (Exception("No space left on device (os error 28)"), True),  # what `tokenizers` raises
        (sqlite3.OperationalError("database or disk is full"), True),
        (NoSpaceError("out"), True),
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), False),
        (LinnetError("the text 'No space left on device' is answered wrongly"), False),
        (ValueError("x"), False),
    ],
)
def test_a_full_disk_is_told_from_other_errors(error: Exception, is_full: bool) -> None:
    assert is_full_disk(error) == is_full
    with pytest.raises(NoSpaceError if is_full else type(error)), named_full_disk(Path("out"), 1):
        raise error
