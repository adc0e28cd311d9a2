"""Fixtures of the tests of `linnet bundle`."""

from __future__ import annotations

from tests.sdk.conftest import files

__all__ = ["files"]
