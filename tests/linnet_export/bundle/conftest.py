"""Fixtures of the tests of `linnet bundle`."""

from __future__ import annotations

from tests.linnet.conftest import files

__all__ = ["files"]
