"""The replay process: its outputs and golden cases, its errors, and which texts become cases."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import linnet
from linnet.replay import choose_cases, read_outputs


def replay(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "linnet.replay", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("task", ["fill-mask", "question-answering", "feature-extraction"])
def test_replay_writes_what_the_program_said(files: Path, tmp_path: Path, task: str) -> None:
    pair = {"pair": "the bank is open"} if task == "question-answering" else {}
    rows = [{"text": f"the [MASK] {word}", **pair} for word in ("is", "music", "play the music", "rain")]
    texts, out, golden = (tmp_path / name for name in ("texts.jsonl", "out.npz", "golden.json"))
    texts.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    path = files / f"{task}.pte"
    done = replay("--model", path, "--texts", texts, "--output", out, "--golden", golden, "--cases", 3)
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert messages[0] == {"done": 1, "total": 4}
    assert messages[-1] == {"finished": True, "threads": 0, "foreign": []}
    answers = read_outputs(out)
    with linnet.load(path) as model:
        for row, answer in zip(rows, answers, strict=True):
            encoding = model.tokenize(row["text"], row.get("pair"))
            np.testing.assert_array_equal(answer.ids, encoding.ids)
            expected = model.run(encoding)
            if task == "fill-mask":
                expected = {"logits": expected["logits"][encoding.ids == model.manifest.mask_id]}
            assert set(answer.outputs) == set(expected)
            for name, values in expected.items():
                np.testing.assert_allclose(answer.outputs[name], values, atol=1e-6)
    cases = json.loads(golden.read_text(encoding="utf-8"))
    assert len(cases) == 3
    assert {case["text"] for case in cases} <= {row["text"] for row in rows}


def test_replay_refuses_in_one_line(files: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"txt": 1}\n')
    common = ("--texts", texts, "--output", tmp_path / "o.npz", "--golden", tmp_path / "g.json")
    for model in (files / "text-classification.pte", tmp_path / "none.pte"):
        done = replay("--model", model, *common)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "o.npz").exists()


def test_cases_are_spread_over_the_lengths() -> None:
    assert choose_cases([9, 3, 100, 5, 7, 200, 4], 3) == [0, 1, 3]
    assert choose_cases([9, 3], 8) == [0, 1]
    assert choose_cases([100, 90], 1) == [1]
    assert choose_cases([], 4) == []
    assert choose_cases([5], 0) == []
