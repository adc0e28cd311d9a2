"""The exit status of each kind of error."""

from __future__ import annotations

import pytest

from linnet.cli.exit_status import exit_status
from linnet.errors import (
    BackendMissingError,
    ExtraMissingError,
    FileDamagedError,
    GoldenMismatchError,
    InternalError,
    InvalidArgumentError,
    RunFailedError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GoldenMismatchError("x"), 1),
        (InvalidArgumentError("x"), 2),
        (ExtraMissingError("x"), 4),
        (PermissionError("x"), 2),
        (FileDamagedError("x"), 3),
        (BackendMissingError("x"), 4),
        (RunFailedError("x"), 5),
        (InternalError("x"), 5),
        (KeyError("x"), 5),
    ],
)
def test_exit_statuses(error: Exception, status: int) -> None:
    assert exit_status(error) == status
