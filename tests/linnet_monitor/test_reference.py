"""The process that measures the reference of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.assets import default_model
from linnet_monitor.reference import main, measure_reference
from tests.support.sdk_fakes import fake_model, hashed_program, make_manifest, table_program

TEXTS = {"text": "the cat"}, {"text": "a [MASK]"}, {"text": "who", "pair": "ada wrote a book"}
BASE = {"length", "unknown"}


@pytest.mark.parametrize(
    ("task", "program", "row", "features"),
    [
        ("text-classification", table_program([1.0, 2.0, 3.0]), 0, {*BASE, "confidence", "labels"}),
        ("feature-extraction", hashed_program(8), 0, BASE),
        ("fill-mask", table_program(np.zeros((4, make_manifest("fill-mask").vocab_size))), 1, {*BASE, "confidence"}),
        ("question-answering", hashed_program(0, outputs=2), 2, {*BASE, "confidence"}),
        ("text-ranking", table_program([1.0]), 2, BASE),
        ("text-generation", table_program([1.0]), 0, set()),
    ],
)
def test_each_task_has_its_features(task: str, program: Any, row: int, features: set[str]) -> None:
    made = measure_reference(fake_model(task, program), [TEXTS[row]] * 3)
    assert made.keys() == features
    assert all(sum(sketch.counts) == 3 for sketch in made.values())


def test_a_process_writes_it(tmp_path: Path) -> None:
    texts, output = tmp_path / "texts.jsonl", tmp_path / "reference.json"
    texts.write_text('{"text": "turn the volume down"}\n\n{"text": "set an alarm"}\n')
    assert main(["--model", str(default_model()), "--texts", str(texts), "--output", str(output)]) == 0
    made = json.loads(output.read_text())
    assert sum(made["labels"]["counts"]) == 2


def test_a_wrong_row_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "a"}\n{"txt": "b"}\n')
    assert main(["--model", str(default_model()), "--texts", str(texts), "--output", str(tmp_path / "o")]) == 1
    assert "line 2" in capsys.readouterr().err
