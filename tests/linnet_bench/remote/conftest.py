"""A machine behind a private sshd, with a Python of its own that has numpy and no linnet."""

from __future__ import annotations

import os
import sys
import venv
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy
import pytest

from tests.linnet_bench.remote.bench_there import NewServer
from tests.linnet_bench.remote.server import MISSING, Server, sshd_program, start_server


@pytest.fixture(scope="session")
def device_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a Python with this environment's numpy and nothing else."""
    folder = tmp_path_factory.mktemp("device-python")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    source = Path(numpy.__file__).parents[1]
    for name in source.glob("numpy*"):
        (site / name.name).symlink_to(name)
    return folder / "bin"


@pytest.fixture
def new_server(tmp_path_factory: pytest.TempPathFactory, device_python: Path) -> NewServer:
    """Starts a server; all arguments have defaults."""
    if sshd_program() is None or not sys.platform.startswith("linux"):
        pytest.skip(MISSING)

    def start(home: Path | None = None, path: str | None = None) -> AbstractContextManager[Server]:
        folder = tmp_path_factory.mktemp("sshd")
        usual = f"{device_python}{os.pathsep}{os.environ['PATH']}"
        return start_server(folder, home or folder / "home", path or usual)

    return start


@pytest.fixture
def server(new_server: NewServer) -> Iterator[Server]:
    """A server of this test alone."""
    with new_server() as started:
        yield started
