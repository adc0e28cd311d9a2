"""Reading labelled rows, and finding their columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.datasets import Columns, choose_columns, read_rows, read_table
from linnet_bench.accuracy.delimited import DelimitedFormat
from linnet_bench.accuracy.problems import BadRowsError, Place, Problem


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_csv_with_a_header(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "x.csv", 'Text,Label\n"a, b",yes\n"two\nlines",no\n'))
    assert [dict(row) for row in table.rows] == [
        {"Text": "a, b", "Label": "yes"},
        {"Text": "two\nlines", "Label": "no"},
    ]
    assert choose_columns(table, None, None, None) == Columns("Text", None, "Label")


def test_csv_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "x.csv", "A man.,A woman.,3.5\r\nA dog.,A cat.,1.0\r\n"))
    assert table.rows[1] == {"0": "A dog.", "1": "A cat.", "2": "1.0"}
    assert choose_columns(table, None, None, None) == Columns("0", "1", "2")


def test_a_header_can_be_denied(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "text,label\na,b\n")
    assert len(read_table(path).rows) == 1
    table = read_table(path, DelimitedFormat(header=False))
    assert len(table.rows) == 2
    assert choose_columns(table, None, None, None) == Columns("0", None, "1")


def test_tsv(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "x.tsv", "sentence1\tsentence2\tscore\na,b\tc\t1\n"))
    assert table.rows == ({"sentence1": "a,b", "sentence2": "c", "score": "1"},)
    assert choose_columns(table, None, None, None) == Columns("sentence1", "sentence2", "score")


def test_json_lines_keep_odd_line_separators_inside_of_strings(tmp_path: Path) -> None:
    text = json.dumps({"text": "a\u2028b", "label": 1}, ensure_ascii=False)
    table = read_table(write(tmp_path, "x.jsonl", f"{text}\n\n{text}\n"))
    assert [row["text"] for row in table.rows] == ["a\u2028b"] * 2


def test_a_json_list_and_a_single_object(tmp_path: Path) -> None:
    assert len(read_table(write(tmp_path, "x.json", '[{"text": "a", "label": 0}, {"text": "b"}]')).rows) == 2
    assert len(read_table(write(tmp_path, "y.jsonl", '{"text": "a", "label": 0}')).rows) == 1


def test_squad_is_flattened(tmp_path: Path) -> None:
    squad = {
        "version": "2.0",
        "data": [
            {"paragraphs": [{"context": "C", "qas": [
                {"question": "Q1", "answers": [{"text": "A", "answer_start": 0}]},
                {"question": "Q2", "answers": [], "is_impossible": True},
            ]}]}
        ],
    }  # fmt: skip
    table = read_table(write(tmp_path, "x.json", json.dumps(squad)))
    assert table.rows == (
        {"question": "Q1", "context": "C", "answers": {"text": ["A"], "answer_start": [0]}},
        {"question": "Q2", "context": "C", "answers": {"text": [], "answer_start": []}},
    )
    assert choose_columns(table, None, None, None) == Columns("question", "context", "answers")


@pytest.mark.parametrize("blank", ["\n", "\t\n", " \r\n"])
def test_conll(tmp_path: Path, blank: str) -> None:
    text = f"-DOCSTART- -X- O\n{blank}EU NNP B-ORG\nrejects VBZ O\n{blank}{blank}Peter\tB-PER\n"
    table = read_table(write(tmp_path, "x.conll", text))
    assert table.rows == (
        {"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]},
        {"tokens": ["Peter"], "tags": ["B-PER"]},
    )
    assert choose_columns(table, None, None, None) == Columns("tokens", None, "tags")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "", "no rows"),
        ("x.jsonl", '{"text": "a"}\n{oops\n', "line 2: not JSON"),
        ("x.jsonl", '{"text": "a"}\n[1]\n', "line 2: a list"),
        ("x.json", "[1, 2]", "2 problems\n  row 1: an int, expected an object\n  row 2: an int"),
        ("x.txt", "word\n", "line 1: 'word' has one field"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        read_table(write(tmp_path, name, text))


def test_every_broken_line_is_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "x.jsonl", '{"text": "a"}\n\n{oops\n3\n{"text": "b"}\n')
    with pytest.raises(BadRowsError) as caught:
        read_table(path)
    assert str(caught.value) == (
        f"{path}: 2 problems\n"
        "  line 3: not JSON: Expecting property name enclosed in double quotes at character 2\n"
        "  line 4: an int, expected an object"
    )
    table, problems = read_rows(path)
    assert [table.place(index) for index in range(2)] == [Place(str(path), 1), Place(str(path), 5)]
    assert [problem.place.number for problem in problems] == [3, 4]


def test_a_broken_list_is_one_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", '[\n{"text": "a"\n"label": 1},\n{"text": "b"}\n]')
    with pytest.raises(BadRowsError, match=f"^{path}, line 3: not JSON: Expecting ',' delimiter at character 1$"):
        read_table(path)


def test_after_20_problems_the_rest_is_counted(tmp_path: Path) -> None:
    one, other = write(tmp_path, "x.jsonl", "{}\n" + "{\n" * 500), tmp_path / "y.jsonl"
    _, problems = read_rows(one)
    lines = str(BadRowsError([*problems, Problem(Place(str(other)), "no label")])).split("\n")
    assert lines[0] == f"{one}: 500 problems"
    assert lines[20].startswith("  line 21: not JSON")
    assert lines[21:] == ["  and 480 more", f"{other}: 1 problem", "  and 1 more"]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("x.csv", 'text,label\n\n"a\nb",1\r\nc,2\n', (3, 5)),
        ("x.csv", "a\u2028b,1\n\nc,2\n", (1, 3)),
        ("x.conll", "\na O\nb O\n\n\nc O\n", (2, 6)),
        ("x.json", '[{"a": 1},\n{"a": 2}]', ()),
    ],
)
def test_rows_know_their_lines(tmp_path: Path, name: str, text: str, lines: tuple[int, ...]) -> None:
    table = read_table(write(tmp_path, name, text))
    assert table.lines == lines
    assert len(table.rows) == 2


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"text,label\n\xff\xff,a\n")
    with pytest.raises(InvalidArgumentError, match="not UTF-8"):
        read_table(path)


def test_a_column_that_the_first_row_lacks_is_found(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "x.jsonl", '{"text": "a"}\n{"text": "b", "label": 1, "note": 2}\n'))
    assert choose_columns(table, None, None, None) == Columns("text", None, "label")
    assert choose_columns(table, None, None, "note") == Columns("text", None, "note")


def test_a_named_column_must_exist(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "x.csv", "text,label,note\na,b,c\n"))
    assert choose_columns(table, "note", None, "text") == Columns("note", None, "text")
    with pytest.raises(InvalidArgumentError, match="--pair-column is 'nope', the file has text, label, note"):
        choose_columns(table, None, "nope", None)
    odd = read_table(write(tmp_path, "y.jsonl", '{"body": "a", "kind": "b"}'))
    with pytest.raises(InvalidArgumentError, match="no text column among body, kind; name it with --text-column"):
        choose_columns(odd, None, None, None)


HALF = "which is half of a character; write both halves, or none"


def test_a_lone_surrogate_is_named(tmp_path: Path) -> None:
    """Half of a character comes of \\ud83d alone; a tokenizer cannot take it."""
    lines = [r'{"text": "fine \ud83d\ude00", "label": 0}', r'{"text": "odd \ud83d", "label": 0}']
    lines.append(r'{"tokens": ["a", "b\udc00"], "tags": ["O", "O"]}')
    path = write(tmp_path, "x.jsonl", "\n".join(lines))
    table, problems = read_rows(path)
    assert [row["text"] for row in table.rows] == ["fine 😀"]
    assert list(map(str, problems)) == [
        f"{path}, line 2: 'text' has \\ud83d at character 5, {HALF}",
        f"{path}, line 3: 'tokens' has \\udc00 at character 2, {HALF}",
    ]
    squad = r'{"data": [{"paragraphs": [{"context": "C \ud800", "qas": [{"question": "Q", "answers": []}]}]}]}'
    assert [str(each) for each in read_rows(write(tmp_path, "y.json", squad))[1]] == [
        f"{tmp_path / 'y.json'}, row 1: 'context' has \\ud800 at character 3, {HALF}"
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("9" * 5_000, "line 2: a number has more than 4300 digits"),
        ("[" * 200_000 + "]" * 200_000, "line 2: its lists and objects are nested too deeply"),
        ('{"a": ' * 100_000 + "0" + "}" * 100_000, "line 2: its lists and objects are nested too deeply"),
    ],
)
def test_json_that_python_cannot_hold_is_named(tmp_path: Path, value: str, message: str) -> None:
    path = write(tmp_path, "x.jsonl", f'{{"text": "a", "label": 0}}\n{{"text": "b", "label": {value}}}\n')
    with pytest.raises(BadRowsError, match=message):
        read_table(path)
    path = write(tmp_path, "x.json", f'[{{"text": "b", "label": {value}}}]')
    with pytest.raises(BadRowsError, match=message.replace("line 2", "line 1")):
        read_table(path)


def test_squad_of_another_form_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", '{"data": [{"paragraphs": [{"context": "C", "qas": [1]}]}, 2, {"paragraphs": 3}]}')
    with pytest.raises(BadRowsError, match=r"3 problems\n  article 1: expected paragraphs with context and qas"):
        read_table(path)
