"""Footer of a linnet file: its size, and the file hash stored in it.

This is a separate module because every load reads the footer, and :mod:`linnet.format.trailer` imports more than a
load needs.
"""

from __future__ import annotations

import os

__all__ = ["FILE_HASH_AT", "FOOTER_SIZE", "file_identity"]

FOOTER_SIZE = 128
FILE_HASH_AT = 80
"""Offset in the footer of the SHA-256 of every byte before it; the layout is in :mod:`linnet.format.trailer`."""


def file_identity(source: str | bytes) -> str:
    """Return the SHA-256 that the footer of a linnet file stores, in hexadecimal.

    Args:
        source: path or bytes of a file that the runtime opened without an error.
    """
    if isinstance(source, bytes):
        footer = source[-FOOTER_SIZE:]
    else:
        with open(source, "rb") as file:
            file.seek(-FOOTER_SIZE, os.SEEK_END)
            footer = file.read()
    return footer[FILE_HASH_AT : FILE_HASH_AT + 32].hex()
