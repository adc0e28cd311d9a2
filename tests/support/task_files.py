"""A file of every task, exported once from tiny seeded checkpoints and kept until something that made it changes."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

__all__ = ["files_of_every_task"]

ROOT = Path(__file__).resolve().parents[2]


def files_of_every_task() -> Path:
    """Return a folder with TASK.pte for every task; skip the test where none can be exported."""
    for package in ("torch", "executorch", "transformers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed, so no file can be exported")
    folder = ROOT / "build" / "test-programs" / f"sdk-{_fingerprint()}"
    if not folder.exists():
        _make_files(folder)
    return folder


def _fingerprint() -> str:
    """Hash of everything that decides about the files."""
    makers = [*sorted((ROOT / "export").rglob("*.py")), *sorted((ROOT / "sdk" / "linnet").rglob("*.py"))]
    makers += [ROOT / "tests" / "linnet" / "make_files.py", ROOT / "tests" / "support" / "checkpoints.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in makers)).hexdigest()[:16]


def _make_files(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        fresh = Path(temporary, "sdk")
        fresh.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "tests.linnet.make_files", str(fresh)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        try:
            fresh.rename(folder)
        except OSError:
            assert folder.exists()  # another test process was faster
