"""Bytes of a file of rows as UTF-8: other encodings are read by their mark, files that are no text are named."""

from __future__ import annotations

import codecs
from pathlib import Path

from linnet.errors import InvalidArgumentError

__all__ = ["utf8_bytes"]

_AS_CSV = "save it as CSV (in Excel: CSV UTF-8), or write its rows as JSON lines"
_PARQUET = "write its rows as JSON lines, as with pandas.read_parquet(...).to_json(..., orient='records', lines=True)"
_NO_TEXT = (
    (b"PAR1", "a Parquet file", _PARQUET),
    (b"ARROW1", "an Arrow file", _PARQUET.replace("parquet", "feather")),
    (b"\xd0\xcf\x11\xe0", "a workbook of an older Excel (.xls)", _AS_CSV),
    (b"\x1f\x8b", "a gzip archive", "unpack it with gunzip"),
    (b"SQLite format", "an SQLite database", _AS_CSV),
)
"""First bytes, what the file is, and what to do."""
_WORKBOOKS = (b"[Content_Types].xml", b"xl/", b"application/vnd.oasis.opendocument.spreadsheet")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),  # the first begins with the mark of UTF-16
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


def utf8_bytes(path: str | Path) -> bytes:
    """Read a file of rows as UTF-8 without a byte order mark; a text with the mark of UTF-16 or UTF-32 is converted.

    Bytes that are not UTF-8 stay as they are: the caller names their lines.

    Raises:
        OSError: the file cannot be read.
        InvalidArgumentError: it is no text, such as a workbook, or UTF-16 without a mark; the message says what to do.
    """
    data = Path(path).read_bytes()
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding).encode()
            except UnicodeError as error:
                name = encoding.upper()
                raise InvalidArgumentError(f"{path}: it has the mark of {name} and is not {name}: {error}") from error
    found = _other_kind(data)
    if found is not None:
        kind, remedy = found
        raise InvalidArgumentError(f"{path}: it is {kind}, expected a text file of rows; {remedy}")
    return data.removeprefix(codecs.BOM_UTF8)


def _other_kind(data: bytes) -> tuple[str, str] | None:
    """Return what a file is that is no text, and what to do; None of a text."""
    if data.startswith(b"PK\x03\x04"):
        is_workbook = any(name in data[:4096] for name in _WORKBOOKS)
        return ("an Excel workbook", _AS_CSV) if is_workbook else ("a zip archive", "unpack it")
    for magic, kind, remedy in _NO_TEXT:
        if data.startswith(magic):
            return kind, remedy
    head = data[:64]
    for zeros, encoding in ((head[1::2], "UTF-16LE"), (head[::2], "UTF-16BE")):
        if len(head) > 1 and zeros.count(0) > 0.6 * len(zeros):
            return f"{encoding} without a byte order mark", f"convert it: iconv -f {encoding} -t UTF-8"
    return None
