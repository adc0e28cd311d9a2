"""Files of rows in other encodings, and files that hold no text."""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile
from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.datasets import read_table
from linnet_bench.accuracy.row_files import utf8_bytes

ROWS = "text,label\nété 漢字 🙂,yes\nno,no\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_text_is_read_by_its_mark(encoding: str, line_end: str, tmp_path: Path) -> None:
    """Excel's "Unicode text" is UTF-16 with a mark, its "CSV UTF-8" has one too."""
    path = tmp_path / "rows.csv"
    path.write_bytes(ROWS.replace("\n", line_end).encode(encoding))
    assert [row["text"] for row in read_table(path).rows] == ["été 漢字 🙂", "no"]


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-32-be"])
def test_the_mark_says_the_order_of_bytes(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(("\ufeff" + ROWS).encode(encoding))
    assert utf8_bytes(path).decode() == ROWS


def zipped(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return held.getvalue()


def database(folder: Path) -> bytes:
    path = folder / "rows.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table rows (text)")
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize(("name", "kind", "remedy"), [
    ("xlsx", "an Excel workbook", "save it as CSV"),
    ("xls", "a workbook of an older Excel", "save it as CSV"),
    ("zip", "a zip archive", "unpack it"),
    ("gz", "a gzip archive", "gunzip"),
    ("parquet", "a Parquet file", "pandas.read_parquet"),
    ("sqlite", "an SQLite database", "JSON lines"),
    ("utf-16-le", "UTF-16LE without a byte order mark", "iconv -f UTF-16LE -t UTF-8"),
    ("utf-16-be", "UTF-16BE without a byte order mark", "iconv -f UTF-16BE -t UTF-8"),
])  # fmt: skip
def test_what_is_no_text_is_named_with_a_remedy(name: str, kind: str, remedy: str, tmp_path: Path) -> None:
    data = {
        "xlsx": lambda: zipped("[Content_Types].xml", "xl/workbook.xml"),
        "xls": lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(64),  # [MS-CFB] 2.2
        "zip": lambda: zipped("rows.csv"),
        "gz": lambda: gzip.compress(ROWS.encode()),
        "parquet": lambda: b"PAR1" + bytes(64) + b"PAR1",
        "sqlite": lambda: database(tmp_path),
    }.get(name, lambda: ROWS.encode(name))()
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    with pytest.raises(InvalidArgumentError) as raised:
        read_table(path)
    assert str(raised.value).startswith(f"{path}: it is {kind}")
    assert remedy in str(raised.value)
