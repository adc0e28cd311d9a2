"""The walk-throughs, from the illustrative rows beside them to an answer, with a tiny random model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from examples.walkthrough import at_most, clinc150, hold_out, read_rows, snips
from tests.support.checkpoints import write_checkpoint

EXAMPLES = Path(__file__).parents[2] / "examples"
TRAINED = ["banking", "customer_service", "in_car", "medical"]


@pytest.mark.parametrize("name", TRAINED)
def test_each_illustrative_row_is_there_once_and_each_class_can_be_split(name: str) -> None:
    rows = read_rows(EXAMPLES / name / "illustrative.jsonl")
    texts = [row["text"] for row in rows]
    assert len(set(texts)) == len(texts)
    rest, held = hold_out(rows, 0.2)
    assert {row["label"] for row in held} == {row["label"] for row in rest}


def test_no_held_out_row_is_learned_from() -> None:
    rows = [{"text": f"{label}{number}", "label": label} for label in "ab" for number in range(10)]
    rest, held = hold_out(rows, 0.2)
    assert (len(held), len(rest)) == (4, 16)
    assert not {row["text"] for row in rest} & {row["text"] for row in held}
    assert len(at_most(rest, 3)) == 6


def test_clinc150_gives_the_domains_and_out_of_scope(tmp_path: Path) -> None:
    parts = {
        "train": [["freeze it", "freeze_account"], ["hello", "greeting"]],
        "val": [["block it", "freeze_account"]],
        "oos_train": [["why", "oos"]],
        "oos_val": [["who", "oos"]],
    }
    (tmp_path / "train_val.json").write_text(json.dumps(parts))
    (tmp_path / "domains.json").write_text(json.dumps({"banking": ["freeze_account"], "small_talk": ["greeting"]}))
    train, held = clinc150(tmp_path, ["banking"])
    assert train == [{"text": "freeze it", "label": "freeze_account"}, {"text": "why", "label": "oos"}]
    assert held == [{"text": "block it", "label": "freeze_account"}, {"text": "who", "label": "oos"}]


def test_clinc150_is_found_under_its_published_name_too(tmp_path: Path) -> None:
    parts = {"train": [["hello", "greeting"]], "val": [], "oos_train": [], "oos_val": [], "test": []}
    (tmp_path / "data_full.json").write_text(json.dumps(parts))
    assert clinc150(tmp_path, []) == ([{"text": "hello", "label": "greeting"}], [])


@pytest.mark.parametrize(
    ("name", "needed"), [("banking", "data_full.json or train_val.json"), ("in_car", "train_*.json")]
)
def test_a_folder_without_the_data_is_refused_in_one_line(name: str, needed: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"examples.{name}", "--data", str(tmp_path), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert needed in done.stderr
    assert done.stderr.count("\n") == 1
    usage = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    assert usage.startswith(f"usage: python -m examples.{name} ")


def test_snips_joins_the_parts_of_a_request(tmp_path: Path) -> None:
    request = {"data": [{"text": "play "}, {"text": "jazz", "entity": "genre"}, {"text": "\n"}]}
    (tmp_path / "train_PlayMusic.json").write_text(json.dumps({"PlayMusic": [request, request]}))
    assert snips(tmp_path) == [{"text": "play jazz", "label": "PlayMusic"}]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["banking", "customer_service", "medical"])
def test_a_walkthrough_ends_in_answers(name: str, tmp_path: Path) -> None:
    encoder = write_checkpoint(tmp_path / "encoder", "bert", "feature-extraction")
    command = [sys.executable, "-m", f"examples.{name}", "--model", str(encoder), "-o", str(tmp_path / "out")]
    # a process of its own: a process keeps the number of threads of its first model
    done = subprocess.run(
        [*command, "--quick", "--epochs", "1"], cwd=EXAMPLES.parent, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model.pte").is_file()
    assert '"accuracy"' in done.stdout
    assert "ms a request" in done.stdout
    assert "' -> " in done.stdout
    assert done.stdout.count("Not a medical device") == (2 if name == "medical" else 0)


@pytest.mark.slow
def test_pretraining_ends_in_answers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.pretraining", "-o", str(tmp_path / "out"), "--epochs", "1"]
    done = subprocess.run(command, cwd=EXAMPLES.parent, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert "pretrained: accuracy" in done.stdout
    assert "' -> " in done.stdout
