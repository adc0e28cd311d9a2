"""The budget of entities at the end of a training: a tagger learned in seconds, a file with figures, and no file."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from linnet.cli.main import main
from linnet.format.trailer import read_trailer
from tests.support.training import write_rows


def name_rows(count: int) -> list[dict[str, object]]:
    """`bank account` is an organization of two words, `bakery` a place."""
    generator = random.Random(1)
    rows: list[dict[str, object]] = []
    for _ in range(count):
        tokens, tags = ["the"], ["O"]
        for _ in range(generator.randint(1, 3)):
            name = generator.choice((["bank", "account"], ["bakery"]))
            tokens += [*generator.choices("a to in is it on at my".split(), k=2), *name]
            tags += ["O", "O", *(["B-LOC"] if name == ["bakery"] else ["B-ORG", "I-ORG"])]
        rows.append({"tokens": tokens, "tags": tags})
    return rows


def test_the_file_of_a_training_has_its_recall_or_is_not_there(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", name_rows(128))
    file = tmp_path / "tagger.pte"
    command = [
        "train", str(encoder), "--task", "token-classification", "--data", str(rows), "-o", str(tmp_path / "model"),
        "--epochs", "3", "--batch-size", "16", "--learning-rate", "5e-3", "--max-length", "32", "--export", str(file),
        "--recipe", "fp32",
    ]  # fmt: skip
    assert main([*command, "--min-recall", "0.9,ORG=0.9", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    entities = read_trailer(file).evidence["entities"]
    assert entities["min_recall"] == {"all": 0.9, "ORG": 0.9}
    assert printed["file"]["entities"] == {**entities}
    assert entities["all"]["recall"] == pytest.approx(printed["file"]["figures"]["recall"])
    assert entities["all"]["recall"] >= 0.9

    file.unlink()
    wrong = [{"tokens": row["tokens"], "tags": ["B-LOC"] * len(row["tags"])} for row in name_rows(20)]  # type: ignore[arg-type]
    other = write_rows(tmp_path / "wrong.jsonl", wrong)
    assert main([*command, "--resume", "--proof-rows", str(other), "--min-recall", "0.9"]) == 1
    assert not file.exists()
    assert (tmp_path / "model" / "model.safetensors").exists()
    assert "under the budget of entities, nothing was delivered" in capsys.readouterr().err
