"""The budget of entities: figures of the written tagger on labelled rows, and no file below its limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import linnet_export
from linnet.cli.main import main
from linnet.errors import InvalidArgumentError
from linnet.format.trailer import read_trailer
from linnet_bench.accuracy.metrics import find_entities
from linnet_export.config import read_shares
from linnet_export.errors import OverBudgetError, ProofTextsError

SENTENCES = [
    "turn the volume down", "is the bakery open on sunday", "reset my password", "play music in the bank",
    "open my account", "the train is at the bank", "rain and sun", "the card of my bank",
]  # fmt: skip
"""Words of the tiny vocabulary: each is one token, so that a word's tag is its token's."""


@pytest.fixture(scope="module")
def tagger(exported: Callable[..., Any]) -> Path:
    """A random tagger of PER and LOC."""
    checkpoint: Path = exported("token-classification")[0]
    return checkpoint


@pytest.fixture(scope="module")
def rows(tagger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows whose tags are those that eager transformers gives the first token of each word."""
    model = transformers.AutoModelForTokenClassification.from_pretrained(tagger).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tagger)
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    lines = []
    for sentence in SENTENCES:
        words = sentence.split()
        encoding = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            best = model(**encoding).logits[0].argmax(-1).tolist()
        owners = encoding.word_ids()
        tags = [model.config.id2label[best[owners.index(word)]] for word in range(len(words))]
        lines.append(json.dumps({"tokens": words, "tags": tags}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def config(tagger: Path, output: Path, rows: Path, **changes: Any) -> linnet_export.ExportConfig:
    return linnet_export.ExportConfig(
        **{"model": str(tagger), "output": output, "recipe": "fp32", "proof_rows": rows, **changes}
    )


def test_the_evidence_has_the_figures_and_the_commands_show_them(
    tagger: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = linnet_export.export(
        config(tagger, tmp_path / "tagger.pte", rows, min_recall={"all": 1.0}, min_coverage={"LOC": 1.0})
    )
    labelled = [find_entities(json.loads(line)["tags"]) for line in rows.read_text(encoding="utf-8").splitlines()]
    count = sum(map(len, labelled))
    assert report.entities is not None
    assert (report.entities.rows, report.entities.all.expected, report.entities.all.found) == (8, count, count)
    stored = read_trailer(report.path).evidence["entities"]
    assert stored["all"]["recall"] == stored["all"]["precision"] == stored["all"]["coverage"] == 1.0
    assert sum(score["expected"] for score in stored["types"].values()) == count > 0
    assert stored["min_recall"] == {"all": 1.0}
    for command in ("inspect", "verify"):
        assert main([command, str(report.path)]) == 0
        assert "recall 1.0000 (at least 1), precision 1.0000, words covered 1.0000" in capsys.readouterr().out


def test_below_the_recall_there_is_no_file(
    tagger: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every row gets a person where the tagger sees none, with a control character in its name."""
    other = tmp_path / "other.jsonl"
    lines = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    changed = [
        {"tokens": [*row["tokens"], "z\x1b[2Jz"], "tags": [*row["tags"], "B-PER" if "LOC" in tag else "B-LOC"]}
        for row in lines
        for tag in [row["tags"][-1]]
    ]
    other.write_text("\n".join(map(json.dumps, changed)), encoding="utf-8")
    output = tmp_path / "tagger.pte"
    command = ["export", str(tagger), "-o", str(output), "--recipe", "fp32", "--proof-rows", str(other)]
    assert main([*command, "--min-recall", "0.99"]) == 1
    printed = capsys.readouterr().err
    assert "expected recall of all of at least 0.9900" in printed
    assert "[z\\u001b[2Jz]" in printed
    assert "\x1b[2J" not in printed
    assert not output.exists()


def test_a_type_without_labelled_entities_holds_no_limit(tagger: Path, tmp_path: Path) -> None:
    only_o = tmp_path / "rows.jsonl"
    only_o.write_text(json.dumps({"tokens": ["the"], "tags": ["O"]}), encoding="utf-8")
    with pytest.raises(OverBudgetError, match="recall of PER of at least 0.1000, got no labelled entity"):
        linnet_export.export(config(tagger, tmp_path / "t.pte", only_o, min_recall={"PER": 0.1}))


def test_wrong_rows_and_limits_fail_before_the_export(
    tagger: Path, rows: Path, tmp_path: Path, exported: Callable[..., Any]
) -> None:
    output = tmp_path / "t.pte"
    with pytest.raises(InvalidArgumentError, match="or min_coverage has ORG; this checkpoint has LOC, PER"):
        linnet_export.export(config(tagger, output, rows, min_precision={"ORG": 0.5}))
    unknown = tmp_path / "unknown.conll"
    unknown.write_text("the O\nbank B-ORG\n", encoding="utf-8")
    with pytest.raises(ProofTextsError, match="tags B-ORG; expected rows of tokens and tags of O, B-PER"):
        linnet_export.export(config(tagger, output, unknown))
    classifier = exported("text-classification")[0]
    with pytest.raises(InvalidArgumentError, match="for token-classification; the task is text-classification"):
        linnet_export.export(config(classifier, output, rows))


def test_settings_that_contradict_each_other() -> None:
    with pytest.raises(InvalidArgumentError, match="without labelled rows: give proof_rows"):
        linnet_export.ExportConfig(model="m", min_recall={"all": 0.9})
    with pytest.raises(InvalidArgumentError, match=r"recall, precision or coverage of PER to be 0 to 1, got 90"):
        linnet_export.ExportConfig(model="m", proof_rows=Path("rows"), min_recall={"PER": 90})
    with pytest.raises(InvalidArgumentError, match="proof_rows is given although the proof is switched off"):
        linnet_export.ExportConfig(model="m", proof_rows=Path("rows"), prove=False)


def test_shares_are_read() -> None:
    assert read_shares("0.9") == {"all": 0.9}
    assert read_shares("0.9,PER=0.95, LOC=1") == {"all": 0.9, "PER": 0.95, "LOC": 1.0}
    with pytest.raises(InvalidArgumentError, match="expected SHARE or TYPE=SHARE"):
        read_shares("PER=much")
