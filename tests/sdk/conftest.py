"""Fixtures of the SDK's tests. Nothing heavy is imported here: most tests run without torch."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with TASK.pte for every task, exported from tiny seeded checkpoints."""
    for package in ("torch", "executorch", "transformers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed, so no file can be exported")
    folder = tmp_path_factory.mktemp("files")
    done = subprocess.run(
        [sys.executable, "-m", "tests.sdk.make_files", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder
