"""Errors of tokenizers that the device cannot run."""

from __future__ import annotations

from typing import NoReturn

from linnet_export.errors import CheckpointError

__all__ = ["UnsupportedTokenizerError", "refuse"]


class UnsupportedTokenizerError(CheckpointError, ValueError):
    """The tokenizer has a part that the device cannot reproduce exactly; the message names it.

    Attributes:
        found: the part, for messages.
        needed: the part that the device has.
    """

    def __init__(self, message: str, *, found: str = "", needed: str = "") -> None:
        super().__init__(message)
        self.found = found
        self.needed = needed


def refuse(found: str, needed: str) -> NoReturn:
    """Raise the error for a part that is not supported."""
    raise UnsupportedTokenizerError(
        f"tokenizer not supported: found {found}, but the device has only {needed}; "
        "save the tokenizer again without it",
        found=found,
        needed=needed,
    )
