"""Errors of tokenizers that the device cannot run."""

from __future__ import annotations

from linnet_export.errors import CheckpointError

__all__ = ["UnsupportedTokenizerError", "unsupported_part"]


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


def unsupported_part(found: str, needed: str) -> UnsupportedTokenizerError:
    """Return the error for a part that is not supported."""
    return UnsupportedTokenizerError(
        f"tokenizer not supported: found {found}, but the device has only {needed}; "
        "save the tokenizer again without it",
        found=found,
        needed=needed,
    )
