"""The small files of the benchmark's tests."""

from __future__ import annotations

from tests.linnet_bench.conftest import files, toys

__all__ = ["files", "toys"]
