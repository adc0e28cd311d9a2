"""The model that comes with linnet answers without a path, and its licences come with it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

import linnet
from linnet import assets
from linnet.errors import FileMissingError
from linnet.format.trailer import read_trailer
from tests.support.command_line import cli, good, refused


def test_load_without_a_path() -> None:
    with linnet.load() as model:
        assert model.path == str(linnet.default_model())
        assert len(model.manifest.labels) == 151
        answers = model(["turn the volume down", "how much money do i have in my account", "how do mosses drink"])
    assert [answer["label"] for answer in answers] == ["change_volume", "balance", "oos"]


def test_it_is_small_and_proven() -> None:
    path = linnet.default_model()
    assert path.stat().st_size <= 3_000_000
    assert read_trailer(path).evidence["status"] == "proven"


def test_licences_come_with_it() -> None:
    folder = resources.files("linnet.assets")
    notice = (folder / "NOTICE").read_text(encoding="utf-8")
    assert "CLINC150" in notice
    assert "Attribution 3.0 Unported" in (folder / "LICENSE-CLINC150.txt").read_text(encoding="utf-8")


def test_run_without_a_file() -> None:
    found = json.loads(good("run", "--json", "turn the volume down"))
    assert found["text"] == "turn the volume down"
    assert found["result"][0]["label"] == "change_volume"
    answers = good("run", "--json", stdin="set a timer for ten minutes\nwhat time is it\n").splitlines()
    assert [json.loads(line)["result"][0]["label"] for line in answers] == ["timer", "time"]


def test_run_says_that_no_file_of_yours_answered() -> None:
    done = cli("run", "nofile", "turn the volume down")
    assert (done.returncode, done.stderr) == (0, "linnet: answered by the model that comes with linnet\n")
    assert [line for line in done.stdout.splitlines() if not line.startswith(" ")] == ["nofile", "turn the volume down"]
    good("run", linnet.default_model(), "turn the volume down")


@pytest.mark.parametrize("argument", ["missing.pte", "models/missing"])
def test_what_looks_like_a_path_is_no_text(argument: str, tmp_path: Path) -> None:
    assert "cannot open" in refused(3, "run", str(tmp_path / argument))


@pytest.mark.parametrize("name", ["model.pt", "model.onnx", "model.tflite", "model.safetensors", "model.BIN"])
def test_what_is_named_like_a_model_is_no_text(name: str) -> None:
    assert f"{name}: cannot open: No such file" in refused(3, "run", name, "turn the volume down")


def test_a_folder_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "intents").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "intents: not a regular file; give the path of a .pte file" in refused(
        3, "run", "intents", "turn the volume down"
    )


def test_a_text_may_be_longer_than_a_name_of_a_file() -> None:
    text = "turn the volume down " * 20
    assert json.loads(cli("run", "--json", text).stdout)["text"] == text


def test_a_text_that_ends_like_a_file_is_a_text() -> None:
    assert json.loads(good("run", "--json", "open my model.bin"))["text"] == "open my model.bin"


def test_a_build_without_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_NAME", "nothing.pte")
    with pytest.raises(FileMissingError, match="comes without nothing.pte"):
        linnet.load()
