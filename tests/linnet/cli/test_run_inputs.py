"""What `linnet run` takes for a file, a text or a line, and how it writes JSON to any terminal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import linnet
from linnet.cli import main as command_line
from linnet.cli.run import _is_file
from linnet.errors import FileMissingError, InvalidTextError, TextTooLongError
from linnet.suggestions import similar_model
from tests.support.command_line import good, refused


def answers(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_valid_in_every_encoding(files: Path, encoding: str) -> None:
    text = "\U0001f44d \xe9 \u6f22"
    command = [sys.executable, "-m", "linnet", "run", str(files / "text-classification.pte"), text, "--json"]
    done = subprocess.run(
        command, capture_output=True, env={"PYTHONIOENCODING": encoding, "PYTHONPATH": ":".join(sys.path)}
    )
    assert json.loads(done.stdout.decode(encoding))["text"] == text


@pytest.mark.parametrize(
    ("character", "written"), [("\xe9", r"\u00e9"), ("\U0001f44d", r"\ud83d\udc4d"), ("\ud800", r"\ud800")]
)
def test_what_a_terminal_lacks_is_escaped_as_json_escapes_it(character: str, written: str) -> None:
    """The escapes are those of json.dumps."""
    assert json.dumps(character) == f'"{written}"'
    error = UnicodeEncodeError("ascii", f"a{character}", 1, 2, "")
    assert command_line._json_escapes(error) == (written, 2)


def test_a_byte_order_mark_is_no_part_of_the_first_text(files: Path) -> None:
    found = answers(good("run", files / "text-classification.pte", "--json", stdin="\ufeffrain\nsun\n"))
    assert [row["text"] for row in found] == ["rain", "sun"]


@pytest.mark.parametrize("dash", [[], ["-"]])
def test_a_dash_is_standard_input(files: Path, dash: list[str]) -> None:
    expected = ["rain", "sun"]
    found = answers(good("run", files / "text-classification.pte", *dash, "--json", stdin="rain\nsun\n"))
    assert [row["text"] for row in found] == expected
    found = answers(good("run", files / "question-answering.pte", *dash, "--json", stdin="who\tAda\n"))
    assert [row["question"] for row in found] == ["who"]


def test_a_dash_stands_between_texts_and_before_the_model_that_comes_with_linnet(files: Path) -> None:
    found = answers(good("run", files / "text-classification.pte", "a", "-", "b", "--json", stdin="rain\n"))
    assert [row["text"] for row in found] == ["a", "rain", "b"]
    found = answers(good("run", "-", "--json", stdin="turn the volume down\n"))
    assert [row["text"] for row in found] == ["turn the volume down"]


@pytest.mark.parametrize(
    "task",
    [
        "text-classification",
        "token-classification",
        "fill-mask",
        "feature-extraction",
        "text-ranking",
        "question-answering",
    ],
)
def test_an_empty_line_has_an_empty_result(files: Path, task: str) -> None:
    found = answers(good("run", files / f"{task}.pte", "--json", stdin="\n  \n\t\n"))
    assert [row["result"] for row in found] == [[], [], []]


@pytest.fixture
def folder(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder that holds sentiment.pte."""
    shutil.copy(files / "text-classification.pte", tmp_path / "sentiment.pte")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("argument", "is_file"),
    [
        ("sentiment.ptee", True),
        ("sentiment.pet", True),
        ("sentiment.pt", True),
        ("sentiment", True),
        ("sentimnt", True),
        ("models/sentiment", True),
        ("my model.pte", True),
        ("-", False),
        ("hello", False),
        ("hello world", False),
        ("sentiment of a text", False),
        ("come.on", False),
        ("google.com", False),
        ("yes.", False),
        ("x" * 5000, False),
        ("", False),
    ],
)
def test_the_first_argument_is_a_file_if_it_looks_like_one(folder: Path, argument: str, is_file: bool) -> None:
    assert _is_file(argument) == is_file


@pytest.mark.parametrize("name", ["sentiment.ptee", "sentimnt.pte", "sentiment", "sentimemt"])
@pytest.mark.parametrize("command", ["run", "verify", "inspect", "bench"])
def test_a_missing_file_is_an_error_that_names_the_similar_one(
    folder: Path, command: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [command, name, *(["hello"] if command == "run" else [])]
    assert command_line.main(arguments) == 3
    assert "did you mean 'sentiment.pte'?" in capsys.readouterr().err


def test_a_similar_file_is_named_with_its_folder(folder: Path) -> None:
    with pytest.raises(FileMissingError, match=r"did you mean '.*/sentiment\.pte'\?"):
        linnet.load(folder / "sentiment.ptee")
    assert similar_model("none/such/folder/x.pte") == ""


def test_the_model_that_comes_with_linnet_is_not_asked_in_place_of_a_missing_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["run", "sentiment.ptee", "hello"]) == 3
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("task", ["text-classification", "feature-extraction", "token-classification"])
def test_a_lone_surrogate_in_a_list_is_named_by_its_position(files: Path, task: str) -> None:
    with (
        linnet.load(files / f"{task}.pte") as model,
        pytest.raises(InvalidTextError, match=r"^inputs\[1\]: .*surrogate"),
    ):
        model(["fine", "b\ud800d", "fine"])


def test_the_position_is_named_by_every_call_that_takes_a_list(files: Path) -> None:
    with linnet.load(files / "feature-extraction.pte") as model, pytest.raises(InvalidTextError, match=r"inputs\[1\]"):
        model.encode(["fine", "\udfff"])
    with linnet.load(files / "text-ranking.pte") as model:
        with pytest.raises(InvalidTextError, match=r"inputs\[1\]"):
            model.rank("query", ["fine", "\udfff"])
        with pytest.raises(InvalidTextError, match=r"inputs\[1\]"):
            model.predict([("query", "fine"), ("query", "\udfff")])
    with linnet.load(files / "question-answering.pte") as model:
        with pytest.raises(InvalidTextError, match=r"inputs\[1\]"):
            model(question=["who", "who"], context=["Ada", "\udfff"])
        with pytest.raises(TextTooLongError, match=r"inputs\[1\]"):
            model(question=["who", "who"], context=["Ada", "Ada " * 99], truncation=False)


def test_a_long_text_is_tagged_in_windows(files: Path) -> None:
    path, text = files / "token-classification.pte", "turn the volume down " * 30
    with linnet.load(path) as model:
        expected = model(text, aggregation_strategy="simple", stride=8)
    found = answers(good("run", path, text, "--stride", 8, "--json"))
    assert found == [{"text": text, "result": expected}]
    refused(2, "run", files / "text-classification.pte", text, "--stride", 8)


def test_a_file_behind_the_texts_is_no_text(files: Path) -> None:
    assert "expected FILE before the texts, got " in refused(2, "run", "rain", files / "text-classification.pte")
