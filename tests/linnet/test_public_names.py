"""The names of the package linnet."""

from __future__ import annotations

import pytest

import linnet
from linnet.errors import LinnetError


def test_public_names_exist_and_nothing_else_does() -> None:
    for name in linnet.__all__:
        assert getattr(linnet, name) is not None
    assert set(linnet.__all__) <= set(dir(linnet))
    with pytest.raises(AttributeError, match="'nope'"):
        _ = linnet.nope
    assert issubclass(linnet.LinnetError, LinnetError)
