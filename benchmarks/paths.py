"""Folders of the repository that benchmarks read and write."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CACHE", "ROOT"]

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "bench"
