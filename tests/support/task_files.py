"""A file of every task, exported once from tiny seeded checkpoints and kept until something that made it changes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.kept_files import ROOT, exporting_sources, kept_folder, source_hash

__all__ = ["files_of_every_task"]

_MAKERS = ("tests/linnet/make_files.py", "tests/support/checkpoints.py")


def files_of_every_task() -> Path:
    """Return a folder with TASK.pte for every task; skip the test where none can be exported."""
    for package in ("torch", "executorch", "transformers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed, so no file can be exported")
    return kept_folder(f"sdk-{source_hash(*exporting_sources(_MAKERS))}", _make_files)


def _make_files(folder: Path) -> None:
    """Export in a process of its own, so that this one stays without PyTorch."""
    command = [sys.executable, "-m", "tests.linnet.make_files", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
