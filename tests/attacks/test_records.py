"""Benchmark records that somebody edited: every command that reads them answers, or names what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linnet.cli.main import main
from linnet_bench.record.record import RecordError, from_json
from tests.support.records import GOLDEN

HOSTILE: tuple[str, ...] = (
    *("0", "-1", "-0.0", "1e-320", "1e308", "1e999", "-1e999", "NaN", "Infinity", str(2**53), str(2**70), "9" * 5000),
    *(
        "true",
        "null",
        '""',
        '"\\ud800"',
        '"\\u001b[2J"',
        "[]",
        "{}",
        "[0]",
        "[" * 99 + "]" * 99,
        '"' + "x" * 9999 + '"',
    ),
)


SHOWN = ("0", "1e308", str(2**53 - 1), "[]", "[0]", '"\\u001b[2J"')
"""The hostile values that a reader accepts in many places."""


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value: of a list, of its first item."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, entry in items:
        yield from places(entry, (*path, key))


def edited(text: str, path: tuple[Any, ...], value: str) -> str:
    """Return a record with another text, which need not be JSON, at a place."""
    document = json.loads(text)
    *outer, last = path
    inner = document
    for key in outer:
        inner = inner[key]
    inner[last] = "THE PLACE"
    return json.dumps(document).replace('"THE PLACE"', value)


def all_places() -> list[tuple[Any, ...]]:
    return list(places(json.loads(GOLDEN.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: value[:12])
def test_no_value_of_a_record_is_a_crash(value: str) -> None:
    text = GOLDEN.read_text(encoding="utf-8")
    refused = 0
    for path in all_places():
        try:
            from_json(edited(text, path, value))
        except RecordError:
            refused += 1
    assert refused


@pytest.mark.parametrize("value", SHOWN, ids=lambda value: value[:12])
def test_commands_answer_what_the_reader_accepts(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every fifth place, since a command takes a tenth of a second."""
    text = GOLDEN.read_text(encoding="utf-8")
    whole, file, page = tmp_path / "whole.json", tmp_path / "edited.json", tmp_path / "page.html"
    whole.write_text(text, encoding="utf-8")
    for path in all_places()[SHOWN.index(value) % 5 :: 5]:
        file.write_text(edited(text, path, value), encoding="utf-8")
        statuses = [
            main(["regress", str(whole), str(file)]),
            main(["regress", str(file), str(whole), "--output", str(tmp_path / "out.json"), "--force"]),
            main(["report", str(file), str(whole), "-o", str(page), "--force"]),
        ]
        said = capsys.readouterr()
        assert all(status in (0, 1, 2) for status in statuses), (path, said.err)
        assert "defect" not in said.err, (path, said.err)
        assert "nan" not in said.out.lower().split(), (path, said.out)
        assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("runs", 0, "lengths", 0, "summary", "p50_ns"), "0"),
        (("runs", 0, "lengths", 0, "summary", "p50_ns"), "-5"),
        (("runs", 0, "lengths", 0, "summary", "samples"), "0"),
        (("runs", 0, "lengths", 0, "samples_ns"), "[0, 0, 0]"),
        (("runs", 0, "lengths", 0, "tokens"), "0"),
        (("runs", 0, "threads"), "-2"),
        (("file", "size"), "-2"),
        (("file", "size"), str(2**53)),
        (("runs", 0, "peak_memory"), str(2**70)),
        (("runs", 0, "lengths", 0, "tokens_per_second"), "NaN"),
        (("runs", 0, "lengths", 0, "tokens_per_second"), "1e999"),
    ],
    ids=str,
)
def test_figures_that_cannot_be_are_refused(path: tuple[Any, ...], value: str) -> None:
    with pytest.raises(RecordError):
        from_json(edited(GOLDEN.read_text(encoding="utf-8"), path, value))
