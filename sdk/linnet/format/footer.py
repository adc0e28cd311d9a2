"""The footer of a linnet file: its size, and the hash of the file that it states.

A module of its own because every load reads it, and :mod:`linnet.format.trailer` imports more than a load needs.
"""

from __future__ import annotations

import os

__all__ = ["FILE_HASH_AT", "FOOTER_SIZE", "file_identity"]

FOOTER_SIZE = 128
FILE_HASH_AT = 80
"""Offset in the footer of the SHA-256 of every byte before it; the layout is in :mod:`linnet.format.trailer`."""


def file_identity(source: str | bytes) -> str:
    """Return the SHA-256 of a linnet file that its footer states, in hexadecimal.

    Args:
        source: path or bytes of a file that was opened without an error.
    """
    if isinstance(source, bytes):
        footer = source[-FOOTER_SIZE:]
    else:
        with open(source, "rb") as file:
            file.seek(-FOOTER_SIZE, os.SEEK_END)
            footer = file.read()
    return footer[FILE_HASH_AT : FILE_HASH_AT + 32].hex()
