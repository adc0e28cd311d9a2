"""Fixtures of the JVM's tests."""

from __future__ import annotations

from tests.linnet.conftest import files

__all__ = ["files"]
