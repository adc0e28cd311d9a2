"""Real small files: golden cases right, wrong, or missing."""

from __future__ import annotations

from tests.linnet_bench.conftest import BenchFiles, files, toys

__all__ = ["BenchFiles", "files", "toys"]
