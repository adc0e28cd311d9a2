"""The model that comes with linnet: 150 intents of a voice or service assistant, and `oos` for all else.

NOTICE in this folder says what it was made from, by whom, and under which licences.
"""

from __future__ import annotations

from pathlib import Path

from linnet.errors import FileMissingError

__all__ = ["default_model"]

_NAME = "intents.pte"


def default_model() -> Path:
    """Return the path of the model that :func:`linnet.load` opens without a path.

    Raises:
        FileMissingError: this build of linnet has none.
    """
    path = Path(__file__).with_name(_NAME)
    if not path.is_file():
        raise FileMissingError(f"this build of linnet comes without {_NAME}; name a file, or reinstall linnet")
    return path
