"""The files of toy_program.py, written once and kept by the hash of what makes them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAKERS = (
    "tests/support/toy_program.py",
    "tests/support/mutations.py",
    "tests/support/wordpiece.py",
    "sdk/linnet/format/manifest.py",
    "sdk/linnet/format/trailer.py",
    "export/linnet_export/lower/structural_ranges.py",
    "export/linnet_export/lower/executorch_compat.py",
)


def makers_hash() -> str:
    """Hash the sources that decide about the files, as 16 hexadecimal digits."""
    sources = b"".join((ROOT / name).read_bytes() for name in MAKERS)
    return hashlib.sha256(sources).hexdigest()[:16]


def toy_folder() -> Path:
    """Return the folder with toy.pte, plain.pte, newer.pte, contract/*.pte and expected.npz, written if needed."""
    folder = ROOT / "build" / "test-programs" / f"toy-{makers_hash()}"
    if not (folder / "toy.pte").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _write_toys(folder)
    return folder


def _write_toys(folder: Path) -> None:
    """Write the toy files in a process with PyTorch, so that this one stays without."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        fresh = Path(temporary, "toy")
        command = [sys.executable, "-m", "tests.support.toy_program", str(fresh)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        try:
            fresh.rename(folder)
        except OSError:
            assert (folder / "toy.pte").exists()  # another test process was faster
