"""Prepared prompts: the same answers with and without, in Python and on the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import linnet
from linnet.cli.main import main
from linnet.model import Model
from tests.support.decoder_file import decoder_file

MANUAL = "turn the volume down, then play the next song. "
SYSTEM: dict[str, str] = {"role": "system", "content": "Be brief"}


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with linnet.load(decoder_file(), self_test=False) as opened:
        yield opened


def test_a_prepared_text_gives_the_same_completion(model: Model, tmp_path: Path) -> None:
    expected = model.generate(MANUAL + "stop", max_new_tokens=6)
    state = model.prepare(MANUAL)
    assert list(state.tokens) == model.tokenizer.encode(MANUAL)[0].ids.tolist()
    state.save(str(tmp_path / "manual.state"))
    for again in (state, model.new_text(path=str(tmp_path / "manual.state"))):
        assert model.generate(MANUAL + "stop", state=again, max_new_tokens=6).ids == expected.ids


def test_prepared_messages_are_what_all_conversations_begin_with(model: Model) -> None:
    tokens = list(model.prepare([SYSTEM]).tokens)
    # by hand from the template of decoder_file.py, up to the user's message
    beginning = "<|im_start|>system\nBe brief<|im_end|>\n<|im_start|>user\n"
    assert tokens == model.tokenizer.encode(beginning, add_special_tokens=False)[0].ids.tolist()
    plain = model.chat(system="Be brief", max_new_tokens=4)
    prepared = model.chat(system="Be brief", state=model.prepare([SYSTEM]), max_new_tokens=4)
    assert plain.ask("play") == prepared.ask("play")


def test_prompts_without_a_beginning_are_refused(model: Model) -> None:
    with pytest.raises(linnet.LinnetError, match="expected a str or a list of messages"):
        model.prepare(7)
    with pytest.raises(linnet.LinnetError, match="the prompt has no tokens"):
        model.prepare("")
    with pytest.raises(linnet.LinnetError, match="do not fit in a context of 64"):
        model.prepare(MANUAL * 20)


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command_writes_what_run_and_chat_begin_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, state = str(decoder_file()), str(tmp_path / "brief.state")
    made = _json(capsys, "prepare", file, "--system", "Be brief", "-o", state, "--json")
    assert made["output"] == state
    assert made["context"] == 64
    assert made["bytes"] == Path(state).stat().st_size
    options = ("--system", "Be brief", "--max-new-tokens", "4", "--json")
    expected = _json(capsys, "run", file, "play", *options)
    assert _json(capsys, "run", file, "play", *options, "--prepared", state) == expected
    monkeypatch.setattr("sys.stdin", io.StringIO("play\n"))
    answer = _json(capsys, "chat", file, *options, "--prepared", state)["answer"]
    assert answer == expected["result"][0]["generated_text"]


def test_the_command_reads_standard_input_and_keeps_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, state = str(decoder_file()), str(tmp_path / "manual.state")
    monkeypatch.setattr("sys.stdin", io.StringIO(MANUAL))
    assert main(["prepare", file, "-", "-o", state]) == 0
    assert "of 64" in capsys.readouterr().out
    assert main(["prepare", file, "again", "-o", state]) != 0
    assert "--force" in capsys.readouterr().err
    assert main(["prepare", file, "again", "-o", state, "--force"]) == 0
    assert main(["prepare", file, "-o", str(tmp_path / "s")]) != 0
    assert "expected a text or --system" in capsys.readouterr().err


def test_a_state_of_another_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "other.state"
    state.write_bytes(b"x" * 500)
    assert main(["run", str(decoder_file()), "play", "--prepared", str(state)]) != 0
    assert "not a saved text" in capsys.readouterr().err
