"""Commands ``linnet mask`` and ``linnet run --mask``: texts masked, restored, and never printed as they were."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from linnet.cli.main import main
from linnet.masking import pattern_types

TEXT = "Write to ada@example.org\nor from 192.0.2.1\n"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def output(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["mask", *arguments]) == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def test_lines_are_masked(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, file) == "Write to [EMAIL]\nor from [IP]\n"
    assert output(capsys, file, "--types", "IP", "--mode", "redact_length").endswith("from █████████\n")
    assert output(capsys, file, "--mode", "pseudonym") == "Write to [EMAIL_1]\nor from [IP_1]\n"
    assert output(capsys, file, "--find") == "1:9-24  EMAIL  1.00  pattern\n2:8-17  IP  1.00  pattern\n"
    assert output(capsys, file, "--find", "--whole").splitlines()[1] == "1:33-42  IP  1.00  pattern"


def test_json_has_places_and_no_values(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in output(capsys, file, "--json").splitlines()]
    assert rows[0] == {"text": "Write to [EMAIL]", "spans": [
        {"start": 9, "end": 24, "type": "EMAIL", "score": 1.0, "source": "pattern"}]}  # fmt: skip
    assert "ada" not in json.dumps(rows)
    assert json.loads(output(capsys, file, "--json", "--find").splitlines()[0]) == {"spans": rows[0]["spans"]}


def test_stdin_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert output(capsys) == "Write to [EMAIL]\nor from [IP]\n"


def test_a_session_goes_on_and_comes_back(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, other, state = (str(tmp_path / name) for name in ("key", "other", "state"))
    Path(key).write_bytes(bytes(range(32)))
    Path(other).write_bytes(bytes(32))
    sealed = ("--session", state, "--key-file", key)
    masked = output(capsys, file, *sealed)
    assert masked == "Write to [EMAIL_1]\nor from [IP_1]\n"
    assert Path(state).stat().st_mode & 0o777 == 0o600
    more = tmp_path / "more.txt"
    more.write_text("bob@example.org ada@example.org", encoding="utf-8")
    assert output(capsys, str(more), *sealed) == "[EMAIL_2] [EMAIL_1]"
    answer = tmp_path / "answer.txt"
    answer.write_text(masked, encoding="utf-8")
    assert output(capsys, str(answer), *sealed, "--unmask") == TEXT
    wrong = output(capsys, str(answer), "--session", state, "--key-file", other, "--unmask", status=3)
    assert "another key" in wrong


def test_wrong_arguments_are_named(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--key-file" in output(capsys, file, "--session", "x", status=2)
    assert "expected" in output(capsys, file, "--types", "NAME", status=2)
    assert "cannot" not in output(capsys, str(tmp_path / "none.txt"), status=2)
    (tmp_path / "latin.txt").write_bytes(b"ok\n\xe9\n")
    assert "line 2" in output(capsys, str(tmp_path / "latin.txt"), status=2)


def test_the_list_has_every_type(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [line.split()[0] for line in output(capsys, "--list").splitlines()[2:]]
    assert listed == [row.type for row in pattern_types()]


def test_run_masks_before_it_answers(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(files / "text-classification.pte")
    assert main(["run", path, "the cat of ada@example.org", "--mask", "--json"]) == 0
    masked = json.loads(capsys.readouterr().out)
    assert masked["text"] == "the cat of [EMAIL]"
    assert main(["run", path, "the cat of [EMAIL]", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == masked
    questions = str(files / "question-answering.pte")
    given = ["--question", "who is a@b.org", "--context", "the cat is b@b.org"]
    assert main(["run", questions, *given, "--mask-mode", "pseudonym", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["question"], row["context"]) == ("who is [EMAIL_1]", "the cat is [EMAIL_2]")
    assert main(["run", path, "192.0.2.1 a@b.org", "--mask-types", "IP", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "[IP] a@b.org"
