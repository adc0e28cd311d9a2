"""Answers of linnet beside those of a Hugging Face pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

__all__ = ["same"]


def same(ours: Any, theirs: Any) -> None:
    """Equal structure, keys in the same order, numbers to float32's precision."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key, value in theirs.items():
            same(ours[key], value)
    elif isinstance(theirs, list):
        assert isinstance(ours, list)
        assert len(ours) == len(theirs)
        for left, right in zip(ours, theirs, strict=True):
            same(left, right)
    elif isinstance(theirs, float | np.floating):
        assert isinstance(ours, float)
        assert ours == pytest.approx(float(theirs), rel=2e-5, abs=1e-6)
    else:
        assert type(ours) is type(theirs)
        assert ours == theirs
