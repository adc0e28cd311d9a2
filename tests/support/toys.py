"""The files of toy_program.py, written once and kept by the hash of what makes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.kept_files import ROOT, kept_folder, source_hash

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
    return source_hash(*(ROOT / name for name in MAKERS))


def toy_folder() -> Path:
    """Return the folder with toy.pte, plain.pte, newer.pte, contract/*.pte and expected.npz, written if needed."""
    return kept_folder(f"toy-{makers_hash()}", _write_toys)


def _write_toys(folder: Path) -> None:
    """Write the toy files in a process with PyTorch, so that this one stays without."""
    command = [sys.executable, "-m", "tests.support.toy_program", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
