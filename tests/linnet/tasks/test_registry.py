"""Tasks by name."""

from __future__ import annotations

import pytest

from linnet.errors import ManifestInvalidError
from linnet.tasks import get_task


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(ManifestInvalidError, match="'translation', this linnet knows feature-extraction"):
        get_task("translation")
