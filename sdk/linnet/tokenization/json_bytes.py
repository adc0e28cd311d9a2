"""Binary format of tokenizers of the kind ``tokenizers``.

Layout of version 1; numbers are little-endian uint32::

    magic "LNTOKJSN", version, flags, size of the JSON in bytes
    the JSON of ``tokenizers.Tokenizer`` without truncation and padding, uncompressed or compressed by zlib

The checksum of zlib detects damage before the JSON is parsed.
"""

from __future__ import annotations

import struct
import zlib

from linnet.errors import TokenizerInvalidError

__all__ = ["CLEAN_UP", "COMPRESSED", "MAGIC", "VERSION", "pack", "unpack"]

MAGIC = b"LNTOKJSN"
VERSION = 1
COMPRESSED = 1
"""Flag: the JSON is compressed by zlib."""
CLEAN_UP = 2
"""Flag: decoded text loses the space before punctuation, as with `clean_up_tokenization_spaces` of transformers."""


_HEADER = struct.Struct("<8s3I")
# far above any tokenizer in use; keeps a damaged size field from allocating all memory
_MOST_BYTES = 1 << 28


def pack(text: str, *, clean_up: bool = False) -> bytes:
    """Pack the JSON of a tokenizer, compressed if that makes it smaller.

    Args:
        text: the JSON.
        clean_up: decoded text loses the space before punctuation.
    """
    data = text.encode("utf-8")
    compressed = zlib.compress(data, 9)
    smaller = len(compressed) < len(data)
    flags = (COMPRESSED if smaller else 0) | (CLEAN_UP if clean_up else 0)
    return _HEADER.pack(MAGIC, VERSION, flags, len(data)) + (compressed if smaller else data)


def unpack(data: bytes) -> tuple[bytes, int]:
    """Unpack the JSON of a tokenizer as UTF-8, and the flags.

    Raises:
        TokenizerInvalidError: the bytes have another format or a newer version, or are damaged.
    """
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise TokenizerInvalidError(
            f"the tokenizer bytes start with {data[:8]!r}, expected {MAGIC!r} and {_HEADER.size} bytes; "
            "export the file again"
        )
    _, version, flags, size = _HEADER.unpack_from(data)
    if version != VERSION or flags & ~(COMPRESSED | CLEAN_UP):
        raise TokenizerInvalidError(
            f"the tokenizer bytes have version {version} and flags {flags:#x}, this linnet reads version {VERSION}; "
            "install a newer linnet, or export the file again with this one"
        )
    body = data[_HEADER.size :]
    content = _inflate(body, size) if flags & COMPRESSED else body
    if len(content) != size:
        raise TokenizerInvalidError(
            f"the tokenizer's JSON has {len(content)} bytes, its header says {size}; export the file again"
        )
    return content, flags


def _inflate(body: bytes, size: int) -> bytes:
    if size > _MOST_BYTES:
        raise TokenizerInvalidError(
            f"the tokenizer's header asks for {size} bytes, at most {_MOST_BYTES} are read; export the file again"
        )
    inflater = zlib.decompressobj()
    try:
        # one byte more than the header states is enough to detect a wrong size, and limits the memory
        inflated = inflater.decompress(body, size + 1)
    except zlib.error as error:
        raise TokenizerInvalidError(
            f"the tokenizer bytes cannot be decompressed ({error}); export the file again"
        ) from error
    if len(inflated) == size and not (inflater.eof and not inflater.unused_data):
        raise TokenizerInvalidError("the compressed tokenizer does not end where it should; export the file again")
    return inflated
