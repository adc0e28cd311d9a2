"""Delimited files: what pandas or a spreadsheet writes is read, and what does not fit is named by its line.

Expected rows are those that the files were written from by hand, or by Python's `csv`.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.datasets import Columns, Table, choose_columns, read_rows, read_table
from linnet_bench.accuracy.delimited import DelimitedFormat
from linnet_bench.accuracy.problems import BadRowsError


def table_of(folder: Path, text: str, name: str = "x.csv", **known: object) -> Table:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return read_table(path, DelimitedFormat(**known))  # type: ignore[arg-type]


def test_a_header_of_unusual_names(tmp_path: Path) -> None:
    table = table_of(tmp_path, "review,sentiment\ngood film,pos\nbad film,neg\nfine,pos\n")
    assert choose_columns(table, None, None, None) == Columns("review", None, "sentiment")
    assert len(table.rows) == 3
    table = table_of(tmp_path, "What they said,Mood\ngood film,pos\nbad film,neg\nfine,pos\n")
    assert choose_columns(table, "What they said", None, "Mood") == Columns("What they said", None, "Mood")
    with pytest.raises(InvalidArgumentError, match="no text column among What they said, Mood; name it with --text"):
        choose_columns(table, None, None, None)
    with pytest.raises(InvalidArgumentError, match="or give --no-header if that line is a row"):
        choose_columns(table, None, None, None)
    assert len(table_of(tmp_path, "What they said,Mood\na,b\n", header=False).rows) == 2


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("good film,pos\nbad film,neg\nfine,pos\n", False),  # pos is a class of other rows too
        ("A man.,A woman.,3.5\nA dog.,A cat.,1.0\n", False),  # a number among numbers
        ("left,right,value\nA dog.,A cat.,1.0\n", True),  # a word above numbers
        (",utterance,what\n0,hello,greet\n1,bye,leave\n", True),  # pandas writes its index without a name
        ("what is this,question\ndo it,command\nwho is it,question\n", False),  # a usual name, but also a class
        ("text,label\na,label\nb,text\n", True),
        ("text,label\ntext,label\ntext,other\n", False),
        ("one,two\nthree,four\n", False),  # nothing tells: a row is not lost
    ],
)
def test_headers_are_recognized_by_what_stands_below(tmp_path: Path, text: str, header: bool) -> None:
    lines = text.count("\n")
    assert len(table_of(tmp_path, text).rows) == lines - header


def test_a_named_column_makes_a_header(tmp_path: Path) -> None:
    assert table_of(tmp_path, "one,two\nthree,four\n", names=("two",)).rows == ({"one": "three", "two": "four"},)


def test_rows_with_another_number_of_fields_are_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("review,sentiment\ngood,pos\na, b and c,pos\n\nalone\nbad,neg\n")
    with pytest.raises(BadRowsError) as caught:
        read_table(path)
    quotes = "put quotes around a field that contains ','"
    assert str(caught.value) == (
        f"{path}: 2 problems\n"
        f"  line 3: 3 fields, expected 2 (review, sentiment); {quotes}\n"
        f"  line 5: 1 field, expected 2 (review, sentiment); {quotes}"
    )
    table, _ = read_rows(path)
    assert [row["review"] for row in table.rows] == ["good", "bad"]
    path.write_text("good,pos\na, b and c,pos\nbad,neg\n")
    with pytest.raises(BadRowsError, match="line 2: 3 fields, expected 2 as most rows have"):
        read_table(path)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("header", [True, False])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str, header: bool) -> None:
    rows = [["Hello, you", "greet"], ["bye", "leave"], ["Well, well, well", "greet"], ["a\nb", "leave"]]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([["text", "label"], *rows] if header else rows)
    table = table_of(tmp_path, file.getvalue())
    assert [list(row.values()) for row in table.rows] == rows
    assert table.lines == ((2, 3, 4, 5) if header else (1, 2, 3, 4))


def test_one_wrong_row_does_not_hide_the_delimiter(tmp_path: Path) -> None:
    text = "text;label\n" + "hello, you;greet\n" * 20
    assert len(table_of(tmp_path, text).rows) == 20
    with pytest.raises(BadRowsError, match="line 22: 3 fields, expected 2 .*contains ';'"):
        table_of(tmp_path, text + "a;b;c\n")


def test_two_possible_delimiters_are_not_guessed(tmp_path: Path) -> None:
    text = "Hello, you;greet\nWell, no;deny\nOh, you;greet\n"
    with pytest.raises(InvalidArgumentError, match=r"x.csv: its fields may be separated by ',' or ';'; say which"):
        table_of(tmp_path, text)
    assert table_of(tmp_path, text, delimiter=";").rows[0] == {"0": "Hello, you", "1": "greet"}
    assert table_of(tmp_path, "text;label\n" + text).rows[0] == {"text": "Hello, you", "label": "greet"}
    assert table_of(tmp_path, "sep=;\n" + text).lines == (2, 3, 4)  # as Excel says it


def test_a_delimiter_by_its_name(tmp_path: Path) -> None:
    for known in ("tab", "\\t", "\t"):
        assert table_of(tmp_path, "text\tlabel\na\tb\n", "x.txt", delimiter=known).rows == (
            {"text": "a", "label": "b"},
        )
    for wrong in ("", "::", '"', "\n"):
        with pytest.raises(InvalidArgumentError, match="expected one character, or tab"):
            table_of(tmp_path, "text,label\na,b\n", delimiter=wrong)


def test_fields_of_any_length(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    long = "word " * 40_000
    assert table_of(tmp_path, f'text,label\n"{long}",a\n{long},b\n').rows[0]["text"] == long
    assert csv.field_size_limit() == limit


def test_a_quote_without_its_end(tmp_path: Path) -> None:
    with pytest.raises(BadRowsError, match="line 3: a quote is opened here and never closed"):
        table_of(tmp_path, 'text,label\na,1\n"' + "b\n" * 100_000 + ",2\n")
    assert table_of(tmp_path, 'text,label\na,1\n"b\nc",2\n').rows[1] == {"text": "b\nc", "label": "2"}


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRowsError, match="line 1: the header has 'text' more than once, expected distinct names"):
        table_of(tmp_path, "text,text,label\na,b,c\n")


def test_a_single_column_keeps_its_commas_apart(tmp_path: Path) -> None:
    """Without another delimiter a comma separates, as the ending says."""
    assert table_of(tmp_path, "text\none\ntwo\n").rows == ({"text": "one"}, {"text": "two"})
