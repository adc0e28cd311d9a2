"""Many texts: which variant is best, how texts are chosen, what pip is asked for; no model runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from benchmarks.peers.encode import VARIANTS, EncodeResult, ratio_of_best
from benchmarks.peers.environments import constrained
from benchmarks.peers.texts import distribution, mixed_texts, read_lines

ELAPSED = {
    "linnet-threads": [4_000_000_000, 4_000_000_000],
    "linnet-sessions": [3_000_000_000, 2_000_000_000, 2_000_000_000],
    "onnxruntime-plain-threads-1": [9_000_000_000],
    "onnxruntime-plain-sessions-8": [3_000_000_000, 4_000_000_000, 5_000_000_000],
}


def test_the_best_of_each_engine_are_compared_turn_by_turn() -> None:
    found = ratio_of_best(ELAPSED)
    # 3 / 3, 4 / 2, 5 / 2
    assert (found.middle, found.low, found.high) == (2.0, 1.0, 2.5)


def test_the_table_has_texts_a_second() -> None:
    result = EncodeResult(
        texts=100,
        distribution="100 texts",
        threads=2,
        elapsed_ns=ELAPSED,
        peak_memory=dict.fromkeys(ELAPSED, 50_000_000),
        cosine=0.99,
    )
    text = "\n".join(result.lines())
    assert "| linnet int8, one session a thread | 2.00 | 2.00-3.00 | 50 | 50 |" in text
    assert "**2.00x** (1.00-2.50)" in text


def test_onnx_runtime_may_do_what_it_does_best() -> None:
    theirs = [variant for variant in VARIANTS.values() if variant.engine == "onnxruntime"]
    assert {variant.batch for variant in theirs} == {1, 8, 32}
    assert {variant.file for variant in theirs} == {"onnxruntime-fused", "onnxruntime-plain"}


def make_data(folder: Path) -> None:
    (folder / "clinc150").mkdir()
    (folder / "stsb_en").mkdir()
    rows = [[f"request {n}", "intent"] for n in range(40)]
    (folder / "clinc150" / "train_val.json").write_text(json.dumps({"train": rows}))
    with (folder / "stsb_en" / "stsb-en-train.csv").open("w", newline="") as file:
        csv.writer(file).writerows([f"Sentence {n}.", "other", "5.0"] for n in range(60))


def test_texts_are_requests_sentences_and_paragraphs(tmp_path: Path) -> None:
    make_data(tmp_path)
    texts = mixed_texts(40, tmp_path)
    assert texts == mixed_texts(40, tmp_path)
    assert sum(text.startswith("request") for text in texts) == 10
    assert sum(text.count(".") == 1 for text in texts) == 10
    assert all(text.count(".") <= 16 for text in texts)


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--texts FILE"):
        mixed_texts(40, tmp_path)
    (tmp_path / "one.txt").write_text("one\n\n")
    with pytest.raises(ValueError, match="has 1 texts"):
        read_lines(tmp_path / "one.txt")


def test_the_distribution_has_extremes_and_deciles() -> None:
    assert distribution(range(1, 12)) == "11 texts, 66 tokens; 1 to 11 tokens, deciles 2 3 4 5 6 7 8 9 10"


def test_environments_take_the_versions_of_the_constraints() -> None:
    lines = "# a comment\nonnx==1.23.2\nopenvino==2026.4.1\nnumpy==2.4.6\n"
    assert constrained(("openvino", "packaging"), lines) == ["openvino==2026.4.1", "packaging"]
