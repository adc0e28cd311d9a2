"""Tables, widths and colours of what the commands print."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.cli.console import Console, cell_width, counted, plain_table, shorten


def test_columns_are_aligned() -> None:
    assert plain_table(("name", "n"), [("a", "10"), ("long name", "9")], right=(1,)) == (
        "name        n\n"
        "---------  --\n"
        "a          10\n"
        "long name   9"
    )  # fmt: skip
    assert plain_table((), [("a", "b")]) == "a  b"


def test_numbers_have_their_nouns_in_the_right_number() -> None:
    assert [counted(count, "thread") for count in (0, 1, 2)] == ["0 threads", "1 thread", "2 threads"]
    assert [counted(count, "class", "classes") for count in (1, 2)] == ["1 class", "2 classes"]


def test_wide_characters_take_two_columns() -> None:
    assert (cell_width("漢字"), cell_width("e\u0301"), cell_width("ab")) == (4, 1, 2)
    assert plain_table((), [("漢", "x"), ("ab", "y"), ("c", "z")]) == "漢  x\nab  y\nc   z"


@given(st.text(), st.integers(1, 20))
def test_shortened_text_fits(text: str, width: int) -> None:
    short = shorten(text, width)
    assert cell_width(short) <= width
    assert "\n" not in short


def test_a_stream_that_is_no_terminal_gets_no_escapes() -> None:
    stream = io.StringIO()
    console = Console(stream)
    console.heading("contract")
    console.table(("a", "b"), [("[bold]1", "2")])
    assert stream.getvalue() == "\ncontract\na        b\n-------  -\n[bold]1  2\n"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_the_cells_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream = _Terminal()
    Console(stream).table(("a", "b"), [("[bold]1", "2")])
    assert "[bold]1" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()


@pytest.mark.parametrize("hide", ["NO_COLOR", "TERM", "rich"])
def test_a_terminal_without_colour_or_rich_gets_plain_text(monkeypatch: pytest.MonkeyPatch, hide: str) -> None:
    monkeypatch.setenv("TERM", "dumb" if hide == "TERM" else "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if hide == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    if hide == "rich":
        monkeypatch.setitem(sys.modules, "rich", None)
    stream = _Terminal()
    Console(stream).table(("a",), [("1",)])
    assert stream.getvalue() == "a\n-\n1\n"
