"""Real weights as Hugging Face directories, downloaded once by the script of the shared folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["real_weights"]

_ROOT = Path(__file__).resolve().parents[2]


def real_weights(name: str) -> Path:
    """Return the directory of real weights in build/weights; skip the test where they cannot be had.

    The script is get.py of $LINNET_SHARED_WEIGHTS, or of shared/weights beside the repository.
    """
    directory = _ROOT / "build" / "weights" / name
    if directory.is_dir():
        return directory
    script = Path(os.environ.get("LINNET_SHARED_WEIGHTS", _ROOT.parent / "shared" / "weights")) / "get.py"
    if not script.is_file():
        pytest.skip(f"NO REAL WEIGHTS: {script} is absent; set LINNET_SHARED_WEIGHTS to the folder of get.py")
    done = subprocess.run(
        [sys.executable, str(script), name, str(directory)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"NO REAL WEIGHTS: {script} {name} failed: {done.stderr.strip()[-300:]}")
    return directory
