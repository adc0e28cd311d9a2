"""Frees the tokenizers that the tests share, so that the runtime sees nothing left over at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runtime_bindings.text.oracle import real_twins


@pytest.fixture(scope="session", autouse=True)
def _shared_tokenizers() -> Iterator[None]:
    yield
    real_twins.cache_clear()
