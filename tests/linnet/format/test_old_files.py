"""Files of earlier versions are opened, verified, inspected and explained, and answer as they did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import linnet
from linnet.assets import default_model
from linnet.cli.main import main
from linnet.format.evidence import Evidence
from linnet.format.trailer import read_trailer
from linnet_bench.record.evidence_schema import evidence_schema

FOLDER = Path(__file__).parent / "old_files"
FILES = sorted(FOLDER.glob("*.pte"))
VARYING = ("name", "manifest", "versions")
"""What `linnet explain` says that the expectations leave out: it depends on the path or on the reader."""


def expected(path: Path) -> Any:
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def same(found: Any, recorded: Any, tolerance: float) -> bool:
    """Compare plain data; numbers within a tolerance, for another processor computes in another order."""
    if isinstance(recorded, dict):
        return set(found) == set(recorded) and all(same(found[key], recorded[key], tolerance) for key in recorded)
    if isinstance(recorded, list):
        found = list(found)
        return len(found) == len(recorded) and all(map(lambda a, b: same(a, b, tolerance), found, recorded))
    if isinstance(recorded, float):
        return bool(np.isclose(found, recorded, rtol=tolerance, atol=tolerance))
    return bool(found == recorded)


def test_there_are_some() -> None:
    assert len(FILES) == 5
    assert [path.stem for path in FILES] == sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_answers_as_it_did(path: Path) -> None:
    with linnet.load(path) as model:
        for question, answer in expected(path)["answers"]:
            assert same(model(question), answer, 0.05), question


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_is_verified(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, recorded = printed(capsys, "verify", str(path), "--json"), expected(path)["verify"]
    assert found["status"] == recorded["status"]
    assert [case["text"] for case in found["cases"]] == recorded["cases"]
    assert all(case["same"] for case in found["cases"])


def test_an_old_signature_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cryptography")
    key = FOLDER / "key.pub.pem"
    found = printed(capsys, "verify", str(FOLDER / "embedding-fp32-signed.pte"), "--key", str(key), "--json")
    assert found["signed_by"] == str(key)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_is_inspected(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "inspect", str(path), "--json")
    for name, value in expected(path)["inspect"].items():
        # later versions of the schema add fields with defaults
        known = {field: found[name][field] for field in value} if name == "manifest" else found[name]
        assert known == value, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_is_explained(path: Path) -> None:
    explain = pytest.importorskip("linnet_export.explain")
    facts = explain.read_facts(path)
    found = json.loads(json.dumps(facts.to_json()))
    for step in (step for steps in found["steps"].values() for step in steps):
        assert step.pop("backend") == ""  # these files were written before a step named its backend
    assert {name: value for name, value in found.items() if name not in VARYING} == expected(path)["explain"]
    assert explain.explain_page(facts, explain.Latency(None, "not measured."))


@pytest.mark.parametrize("path", [*FILES, default_model()], ids=lambda path: path.stem)
def test_old_evidence_is_read_whole_and_written_again(path: Path) -> None:
    document = read_trailer(path).evidence
    evidence = Evidence.from_json(document)
    assert evidence.damaged == ()
    assert json.dumps(evidence.to_json(), sort_keys=True) == json.dumps(document, sort_keys=True)
    jsonschema.validate(document, evidence_schema())


def test_the_old_files_have_what_only_some_files_have() -> None:
    documents = {path.stem: Evidence.from_json(read_trailer(path).evidence) for path in FILES}
    assert documents["classification-int8"].has_forward_fused
    assert not documents["masks-unproven"].has_forward_fused
    assert documents["tagging-mixed-precision"].report.mixed_precision is not None
    assert read_trailer(FOLDER / "embedding-fp32-signed.pte").version == (1, 1)
