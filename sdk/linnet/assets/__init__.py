"""Default model of linnet: 150 intents of a voice or service assistant, and `oos` for everything else.

The file NOTICE in this folder lists its sources, authors and licences.
"""

from __future__ import annotations

from pathlib import Path

from linnet.errors import FileMissingError

__all__ = ["default_model"]

_NAME = "intents.pte"


def default_model() -> Path:
    """Return the path of the model that :func:`linnet.load` opens if no path is given.

    Raises:
        FileMissingError: this build of linnet has no default model.
    """
    path = Path(__file__).with_name(_NAME)
    if not path.is_file():
        raise FileMissingError(f"this build of linnet comes without {_NAME}; name a file, or reinstall linnet")
    return path
