"""CLINC150 as rows for `linnet train`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from examples.datasets.clinc150 import convert
from linnet.errors import InvalidArgumentError


def test_a_few_rows_of_some_domains_of_clinc150(tmp_path: Path) -> None:
    rows = [[f"{label} {number}", label] for number in range(5) for label in ("pin", "rate", "joke")]
    parts = {"train": rows, "oos_train": [["why", "oos"]], "val": rows[:3], "oos_val": [["who", "oos"]]}
    (tmp_path / "parts.json").write_text(json.dumps(parts))
    (tmp_path / "domains.json").write_text(json.dumps({"banking": ["pin", "rate"], "small_talk": ["joke"]}))
    counts = convert(tmp_path / "parts.json", tmp_path, domains=("banking",), rows_per_class=2)
    assert counts == {"train": 5, "val": 3}
    labels = [json.loads(line)["label"] for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert labels == ["oos", "pin", "pin", "rate", "rate"]
    with pytest.raises(InvalidArgumentError, match="rows_per_class is 0, expected at least 1"):
        convert(tmp_path / "parts.json", tmp_path, rows_per_class=0)
    with pytest.raises(InvalidArgumentError, match="no domain shops; known are banking, small_talk"):
        convert(tmp_path / "parts.json", tmp_path, domains=("shops",))


def test_clinc150_becomes_json_lines(tmp_path: Path) -> None:
    source = tmp_path / "data.json"
    parts = {"train": [["hi", "greeting"]], "oos_train": [["who am i", "oos"]], "val": [["hey", "greeting"]]}
    source.write_text(json.dumps(parts))
    with pytest.raises(InvalidArgumentError, match="no oos_val"):
        convert(source, tmp_path)
    source.write_text(json.dumps({**parts, "oos_val": []}))
    assert convert(source, tmp_path / "out") == {"train": 2, "val": 1}
    lines = (tmp_path / "out" / "train.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"text": "hi", "label": "greeting"},
        {"text": "who am i", "label": "oos"},
    ]
