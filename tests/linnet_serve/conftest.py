"""Fixtures of the service's tests: files of every task, and one service of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.decoder_file import decoder_file
from tests.support.serving import Served, serving
from tests.support.task_files import files_of_every_task


@pytest.fixture(scope="session")
def files() -> Path:
    """Return a folder with TASK.pte for every task."""
    return files_of_every_task()


@pytest.fixture(scope="session")
def decoder() -> Path:
    """Return a tiny decoder with a chat template."""
    return decoder_file()


@pytest.fixture(scope="session")
def served(files: Path, decoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a service of every task, without keys; models are named by their task."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, *sorted(files.glob("*.pte")), f"chat={decoder}", "--threads", "1") as service:
        yield service
