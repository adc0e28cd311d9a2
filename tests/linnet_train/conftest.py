"""A small encoder, and rows that it can learn in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checkpoints import write_checkpoint
from tests.support.training import easy_rows, write_rows


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded BERT of two layers, 32 wide."""
    return write_checkpoint(tmp_path_factory.mktemp("encoder") / "encoder", "bert", "feature-extraction")


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 easy rows of four classes."""
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", easy_rows(160))
