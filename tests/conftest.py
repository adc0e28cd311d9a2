"""For all tests: notes of the self-test go to a folder of this run, not to the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Child processes inherit it too."""
    folder = tmp_path_factory.mktemp("linnet-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINNET_CACHE", str(folder))
        patch.setenv("LINNET_SELF_TEST", os.environ.get("LINNET_SELF_TEST", "1"))
        yield folder
