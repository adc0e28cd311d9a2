"""Fixtures that the tests of the runtime and of its bindings share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.task_files import files_of_every_task


@pytest.fixture(scope="session")
def files() -> Path:
    """Return a folder with TASK.pte for every task."""
    return files_of_every_task()
