"""Fixtures of the benchmark's tests."""

from __future__ import annotations

import pytest

from tests.support.files import BenchFiles, make_bench_files
from tests.support.toys import toy_folder


@pytest.fixture(scope="session")
def bench_files(tmp_path_factory: pytest.TempPathFactory) -> BenchFiles:
    """The three files, named proven.pte, wrong.pte and unproven.pte."""
    return make_bench_files(toy_folder() / "toy.pte", tmp_path_factory.mktemp("bench-files"))
