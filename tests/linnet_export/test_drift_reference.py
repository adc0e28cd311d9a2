"""The reference for drift that an export puts into the file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import linnet
import linnet_export
from linnet.monitoring import Metrics
from linnet_export.errors import ProofError
from linnet_export.proof.drift_reference import measure_drift_reference
from linnet_export.proof.texts import ProofText
from linnet_monitor.drift import DriftWatch, watch_drift
from tests.support.checkpoints import write_checkpoint


def test_texts_of_the_user_become_the_reference(tmp_path: Path) -> None:
    texts = [f"turn the volume {word}" for word in "down up off on low high left right".split()] * 5
    (tmp_path / "texts.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    config = linnet_export.ExportConfig(
        model=str(write_checkpoint(tmp_path / "checkpoint", task="text-classification")),
        output=tmp_path / "m.pte", recipe="fp32", prove=False, reference=tmp_path / "texts.jsonl",
    )  # fmt: skip
    report = linnet_export.export(config)
    assert "reference" in report.seconds
    metrics = Metrics()
    with linnet.load(report.path, watch=metrics) as model:
        reference = model.evidence.drift_reference
        assert reference.keys() == {"length", "unknown", "confidence", "labels"}
        assert all(sum(sketch.counts) == len(texts) for sketch in reference.values())
        lengths = [len(model.tokenize(text)) for text in texts]
        assert sum(reference["length"].counts[: reference["length"].edges.index(max(lengths)) + 1]) == len(texts)
        assert "volume" not in json.dumps(model.raw_evidence["drift_reference"])
        watch = model.watch(metrics)
        drift = watch_drift(watch, reference)
        assert isinstance(drift, DriftWatch)
        for text in texts * 7:
            model(text)
        assert drift.changed == {}
        assert drift.statistics()["length"]["ks"] < 0.05


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match="could not be measured.*FileMissingError"):
        measure_drift_reference(tmp_path / "nothing.pte", [ProofText("x")])


def test_without_texts_of_the_user_there_is_no_reference() -> None:
    config = linnet_export.ExportConfig(model="x")
    assert linnet_export.proof.choose_reference(config, None) == []  # type: ignore[arg-type]
    assert dataclasses.replace(config, reference=Path("x")).problems() == []
