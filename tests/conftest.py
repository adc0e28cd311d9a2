"""For all tests: quiet threads, a cache folder of this run instead of the user's, and the toy files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# before PyTorch is imported, see linnet_export/threads.py: the workers of pytest-xdist share the processors
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# before anything of it is imported: helpers that compare then show what differs
pytest.register_assert_rewrite("tests.support")

from tests.support.toys import toy_folder  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Child processes inherit it too."""
    folder = tmp_path_factory.mktemp("linnet-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINNET_CACHE", str(folder))
        patch.setenv("LINNET_SELF_TEST", os.environ.get("LINNET_SELF_TEST", "1"))
        yield folder


@pytest.fixture(scope="session")
def toys() -> Path:
    """Folder with toy.pte, plain.pte, newer.pte, contract/*.pte and expected.npz."""
    return toy_folder()
