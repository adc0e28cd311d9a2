"""Fixtures of the Swift package's tests."""

from __future__ import annotations

from tests.linnet.conftest import files

__all__ = ["files"]
