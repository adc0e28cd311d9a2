"""Text generation on the JVM: the same texts to the last token as Python, kept texts, streams, conversations, flows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import linnet
from tests.conformance.make_records import escape
from tests.conformance.reader import read_lines
from tests.conformance.runners import MissingReader
from tests.runtime_bindings.jvm.jvm import BUILD, ROOT, builder, java_command, run_java
from tests.support.decoder_file import decoder_file
from tests.support.generation_cases import CASES, completion_line, write_cases


@pytest.fixture(autouse=True, scope="module")
def _built() -> None:
    try:
        java_command()
    except MissingReader as missing:
        pytest.skip(f"needs {missing}")


@pytest.fixture(scope="module")
def expected() -> list[list[str]]:
    """Completions of the SDK, as lines of cells."""
    with linnet.load(decoder_file()) as model:
        return [completion_line(model, case) for case in CASES]


def check(lines: list[str], expected: list[list[str]]) -> None:
    """Compare lines that the Kotlin side printed: log probabilities within the last digit that Kotlin prints."""
    found = [line.split("\t") for line in lines]
    assert [[*row[:1], *row[2:]] for row in found] == [[*row[:1], *row[2:]] for row in expected]
    for row, wanted in zip(found, expected, strict=True):
        numbers = [[float(number) for number in each[1].split()] for each in (row, wanted)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-6)


def test_the_same_text_as_python_to_the_last_token(expected: list[list[str]], tmp_path: Path) -> None:
    check(run_java("completions", decoder_file(), write_cases(tmp_path / "cases.tsv")), expected)


def test_the_same_text_through_an_engine(expected: list[list[str]], tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.tsv")
    check(run_java("engine-completions", decoder_file(), cases, fields()), expected)


def fields() -> str:
    """Names of the manifest's fields."""
    with linnet.load(decoder_file()) as model:
        return ",".join(model.manifest.to_raw())


def test_texts_are_kept(tmp_path: Path) -> None:
    assert run_java("texts", decoder_file(), tmp_path) == [
        "rewind true 50 64",
        "fork true true 41",
        "load true",
        "sample true true",
        "cancel CANCELLED 40",
        "remove true INVALID_ARGUMENT INVALID_ARGUMENT",
        "errors CONTEXT_FULL INPUT_OUT_OF_RANGE INVALID_ARGUMENT INVALID_ARGUMENT INVALID_ARGUMENT FILE_NOT_FOUND",
        "prompts INVALID_ARGUMENT CONTEXT_FULL INVALID_ARGUMENT INVALID_ARGUMENT INVALID_ARGUMENT",
        "closed INVALID_ARGUMENT",
        "model INVALID_ARGUMENT nothing",
    ]


def test_streams_end_where_they_should() -> None:
    assert run_java("streams", decoder_file()) == [
        "pieces true true true",
        "early false null",
        "state true true " + str(_tokens_of_a_state()),
        "context true",
        "cancelled CANCELLED",
        "model first nothing",
        "text true true",
        "token INPUT_OUT_OF_RANGE",
    ]


def _tokens_of_a_state() -> int:
    """Prompt and 12 tokens, of which the last one was not appended."""
    with linnet.load(decoder_file()) as model:
        return len(model.tokenize("The small bird")) + 11


def test_a_conversation() -> None:
    with linnet.load(decoder_file()) as model:
        prompt = model._session.task.chat_prompt([("system", "Sing."), ("user", "Hi")], False)
    assert run_java("chat", decoder_file()) == [
        "first true true",
        "second true",
        "early [system, user, assistant]",
        f"prompt {prompt.replace(chr(10), '|')}",
        "slides 25",
        "refused INVALID_ARGUMENT INVALID_ARGUMENT INVALID_ARGUMENT INVALID_ARGUMENT CONTEXT_FULL",
        "guessed true",
    ]


def test_flows_give_pieces_and_stop_with_their_collector() -> None:
    tool = builder()
    compiler, standard = tool.fetch_compiler(BUILD / "kotlin")  # which has kotlinx-coroutines in it
    sources = [ROOT / "runtime_bindings" / "jvm" / "coroutines", Path(__file__).parents[1] / "jvm_coroutines"]
    jar = tool.compile_kotlin(BUILD / "kotlin", sources, BUILD / "flows.jar", BUILD / "linnet.jar", compiler)
    java, library, *_ = java_command()
    classpath = ":".join(map(str, [standard, compiler, BUILD / "linnet.jar", jar]))
    command = [
        java,
        library,
        "-cp",
        classpath,
        "tests.runtime_bindings.jvm_coroutines.MainKt",
        decoder_file(),
        fields(),
    ]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines() == [
        "text true",
        "tokens true",
        "taken 2",
        "chat true",
        "cancelled true true",
        "prompt CancellationException true",
    ]


def test_the_cases_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = read_lines(write_cases(tmp_path / "cases.tsv"))
    assert [[escape(cell) for cell in row] for row in rows] == [[escape(cell) for cell in case] for case in CASES]
