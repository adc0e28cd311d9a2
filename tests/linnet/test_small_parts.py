"""Scores, vocabulary, console tables, versions: the small modules."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import linnet
from linnet.cli import doctor
from linnet.cli.console import Console, cell_width, plain_table, shorten
from linnet.cli.exit_status import exit_status
from linnet.errors import (
    BackendMissingError,
    ExtraMissingError,
    FileDamagedError,
    GoldenMismatchError,
    InputOutOfRangeError,
    InternalError,
    InvalidArgumentError,
    LinnetError,
    ManifestInvalidError,
    RunFailedError,
)
from linnet.format.manifest import join_items, split_items
from linnet.tasks import get_task, scores
from linnet.tokenization.vocabulary import Vocabulary
from linnet_runtime import _core
from tests.support.sdk_fakes import PIECES, f32
from tests.support.wordpiece import wordpiece_bytes

# -- scores ----------------------------------------------------------------------------------------

logits = hnp.arrays(np.float32, st.integers(1, 8), elements=st.floats(-1e4, 1e4, width=32))


@given(logits)
def test_softmax_and_sigmoid_equal_their_definitions(values: np.ndarray) -> None:
    wide = values.astype(np.float64)
    exact = np.exp(wide - wide.max())
    np.testing.assert_allclose(scores.softmax(values), exact / exact.sum(), atol=1e-6)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(scores.sigmoid(values), 1 / (1 + np.exp(-wide)), atol=1e-6)
    assert scores.softmax(values).dtype == scores.sigmoid(values).dtype == np.float32


def test_extreme_logits_raise_no_floating_point_warning() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert scores.sigmoid(f32([-1e30, 0, 1e30])).tolist() == [0, 0.5, 1]
        assert scores.softmax(f32([-1e30, 1e30])).tolist() == [0, 1]


# -- vocabulary ------------------------------------------------------------------------------------


def test_tokens_ids_and_prefix() -> None:
    tokenizer = _core.Tokenizer(wordpiece_bytes(PIECES))
    vocabulary = Vocabulary(tokenizer)
    assert [vocabulary.token(index) for index in range(len(vocabulary))] == list(PIECES)
    assert vocabulary.ids["cat"] == PIECES.index("cat")
    assert [index for index in range(len(PIECES)) if tokenizer.is_special(index)] == [0, 1, 2, 3, 4]
    assert tokenizer.prefix == "##"
    assert vocabulary.marks_words
    assert vocabulary.continues_word(PIECES.index("##soft"))
    assert not vocabulary.continues_word(PIECES.index("cat"))
    assert not vocabulary.continues_word(0)


def test_an_id_outside_of_the_vocabulary_is_named() -> None:
    vocabulary = Vocabulary(_core.Tokenizer(wordpiece_bytes(PIECES)))
    for token_id in (9999, -1, len(PIECES)):
        with pytest.raises(InputOutOfRangeError, match=f"id {token_id};"):
            vocabulary.token(token_id)
        with pytest.raises(InputOutOfRangeError, match=f"id {token_id};"):
            vocabulary.continues_word(token_id)


# -- lists in one string ---------------------------------------------------------------------------


@given(st.lists(st.text()))
def test_items_survive_joining(items: list[str]) -> None:
    if items == [""]:
        with pytest.raises(ValueError, match="one empty string"):
            join_items(items)
    else:
        assert split_items(join_items(items)) == tuple(items)


# -- console ---------------------------------------------------------------------------------------


def test_columns_are_aligned() -> None:
    assert plain_table(("name", "n"), [("a", "10"), ("long name", "9")], right=(1,)) == (
        "name        n\n"
        "---------  --\n"
        "a          10\n"
        "long name   9"
    )  # fmt: skip
    assert plain_table((), [("a", "b")]) == "a  b"


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


# -- tasks, exit statuses ---------------------------------------------------------------------------


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(ManifestInvalidError, match="'translation', this linnet knows feature-extraction"):
        get_task("translation")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GoldenMismatchError("x"), 1),
        (InvalidArgumentError("x"), 2),
        (ExtraMissingError("x"), 2),
        (PermissionError("x"), 2),
        (FileDamagedError("x"), 3),
        (BackendMissingError("x"), 4),
        (RunFailedError("x"), 5),
        (InternalError("x"), 5),
        (KeyError("x"), 5),
    ],
)
def test_exit_statuses(error: Exception, status: int) -> None:
    assert exit_status(error) == status


# -- doctor ----------------------------------------------------------------------------------------

_HEALTHY = {"version": "1.0", "executorch": "1.5.1", "backends": "XnnpackBackend", "cpu_features": "neon,dotprod"}


@pytest.mark.parametrize(
    ("changes", "installed", "words"),
    [
        ({}, "1.5.1", []),
        ({}, "1.5.1+cpu", []),
        ({"cpu_features": ""}, None, []),
        ({"cpu_features": "neon"}, None, ["no dot-product instructions"]),
        ({"cpu_features": "neon,dotprod,sme"}, None, ["this CPU has SME"]),
        ({"backends": "VulkanBackend"}, None, ["no XNNPACK backend"]),
        ({}, "1.4.0", ["executorch 1.4.0 is installed beside, this build carries 1.5.1"]),
        ({"version": "0.9"}, None, ["linnet 1.0 is installed with a runtime of version 0.9"]),
    ],
)
def test_doctor_warns_of_what_matters(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], installed: str | None, words: list[str]
) -> None:
    monkeypatch.setattr(doctor, "version", lambda: "1.0")
    found = doctor.warnings_for({**_HEALTHY, **changes}, {"executorch": installed})
    assert len(found) == len(words)
    for warning, word in zip(found, words, strict=True):
        assert word in warning


def test_doctor_without_the_runtime_says_only_that() -> None:
    assert len(doctor.warnings_for({}, {})) == 1


@pytest.mark.parametrize(
    ("installed", "shown"), [(None, 'missing (BPE and Unigram need it): pip install "linnet[tokenizers]"'),
                             ("0.23.3", "tokenizers 0.23.3")]
)  # fmt: skip
def test_doctor_says_what_reads_each_kind_of_tokenizer(installed: str | None, shown: str) -> None:
    assert doctor.tokenizers_for({"tokenizers": installed}) == {"wordpiece": "built in", "tokenizers": shown}


# -- the package -----------------------------------------------------------------------------------


def test_public_names_exist_and_nothing_else_does() -> None:
    for name in linnet.__all__:
        assert getattr(linnet, name) is not None
    assert set(linnet.__all__) <= set(dir(linnet))
    with pytest.raises(AttributeError, match="'nope'"):
        _ = linnet.nope
    assert issubclass(linnet.LinnetError, LinnetError)
