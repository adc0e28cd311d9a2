"""Fixtures of the JVM's tests."""

from __future__ import annotations

from tests.sdk.conftest import files

__all__ = ["files"]
