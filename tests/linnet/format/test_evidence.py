"""The evidence as an object: round trip, what is skipped, what is damage, and its JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from linnet.assets import default_model
from linnet.errors import SchemaTooNewError, TrailerDamagedError
from linnet.format.evidence import Evidence, GoldenCase, GoldenOutput, Instruction, LayerError, LayerRun, Report
from linnet.format.trailer import read_trailer
from linnet_bench.record.evidence_schema import evidence_schema, schema_text

COMMITTED = Path(__file__).parents[3] / "docs" / "reference" / "evidence.schema.json"
CASE = {"text": "a", "pair": None, "ids": [2, 3], "type_ids": [0, 0], "output": {"x": {"shape": [1], "values": [0.5]}}}


def shipped() -> dict[str, Any]:
    """Return the evidence of the model that comes with linnet, as its trailer has it."""
    return dict(read_trailer(default_model()).evidence)


def test_what_was_read_is_written_again() -> None:
    document = shipped()
    evidence = Evidence.from_json(document)
    assert evidence.damaged == ()
    assert json.dumps(evidence.to_json(), sort_keys=True) == json.dumps(document, sort_keys=True)


def test_json_becomes_objects() -> None:
    evidence = Evidence.from_json(
        {
            "golden": [CASE],
            "proof": {"texts": 3, "agreement": 1.0},
            "details": {"layer_errors": {"word": [0.5, 1]}},
            "places": {"forward": [{"operator": "add", "layer": ""}, {"partition": [{"layer": "a", "operators": []}]}]},
        }
    )
    output = GoldenOutput(shape=(1,), values=(0.5,))
    assert evidence.golden == (GoldenCase(text="a", ids=(2, 3), type_ids=(0, 0), output={"x": output}),)
    assert (evidence.texts, evidence.figures) == (3, {"agreement": 1.0})
    assert evidence.details.layer_errors == {"word": LayerError(given=0.5, running=1)}
    assert evidence.places["forward"] == (
        Instruction(operator="add", layer=""),
        Instruction(partition=(LayerRun("a", ()),)),
    )


def test_what_a_newer_minor_version_added_is_skipped() -> None:
    document = {"schema": "1.7", "weather": "rain", "golden": [{**CASE, "mood": 3}], "report": {"wind": [1]}}
    evidence = Evidence.from_json(document)
    assert (evidence.schema, evidence.damaged, len(evidence.golden)) == ("1.7", (), 1)
    assert evidence.report == Report()


@pytest.mark.parametrize("schema", ["2.0", "0.9", ""])
def test_another_major_version_is_refused(schema: str) -> None:
    with pytest.raises(SchemaTooNewError, match="use the linnet that made the file"):
        Evidence.from_json({"schema": schema})


@pytest.mark.parametrize("document", [[], "x", 3, None])
def test_what_is_no_object_is_damage(document: Any) -> None:
    with pytest.raises(TrailerDamagedError, match="expected a JSON object"):
        Evidence.from_json(document)


@pytest.mark.parametrize(
    ("document", "damaged"),
    [
        ({"golden": 3}, ("golden",)),
        ({"golden": [CASE, {**CASE, "ids": "x"}]}, ("golden[1].ids",)),
        ({"golden": [{**CASE, "output": {"x": {"shape": [1]}}}]}, ("golden[0].output.x.values",)),
        ({"proof": {"agreement": "all", "texts": True}, "status": 1}, ("status", "proof.agreement", "proof.texts")),
        ({"proof": {"agreement": float("nan")}}, ("proof.agreement",)),
        ({"report": {"layers": [[1]], "max_length": 2.5}}, ("report.max_length", "report.layers[0]")),
        ({"details": {"layer_errors": {"word": [1], "other": [1, 2]}}}, ("details.layer_errors.word",)),
        ({"golden": None, "tolerance": None, "report": None}, ()),
    ],
)
def test_what_does_not_fit_keeps_its_default_and_is_named(document: Any, damaged: tuple[str, ...]) -> None:
    assert Evidence.from_json(document).damaged == damaged


def test_damage_counts_where_the_part_is_needed() -> None:
    evidence = Evidence.from_json({"golden": [{}], "report": {"layers": 3}, "goldenrod": 1})
    evidence.require("proof", "tolerance")
    with pytest.raises(TrailerDamagedError, match=r"wrong form at golden\[0\]\.text; export the file again"):
        evidence.require("tolerance", "golden")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, False),
        ({"proof_fused": {"agreement": 1.0}}, True),
        ({"places": {"forward": []}}, False),
        ({"places": {"forward_fused": []}}, True),
    ],
)
def test_it_knows_whether_the_file_has_linnets_own_kernels(document: Any, expected: bool) -> None:
    assert Evidence.from_json(document).has_forward_fused is expected


def test_the_committed_schema_is_what_the_dataclasses_make() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema_text()


def test_the_schema_accepts_the_evidence_of_real_files() -> None:
    jsonschema.Draft202012Validator.check_schema(evidence_schema())
    jsonschema.validate(shipped(), evidence_schema())
    jsonschema.validate(Evidence().to_json(), evidence_schema())


@pytest.mark.parametrize("part", [{"schema": "2.0"}, {"golden": [{}]}, {"proof": {"agreement": "all"}}, {"worst": 3}])
def test_the_schema_refuses_what_the_reader_calls_damaged(part: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**shipped(), **part}, evidence_schema())


def test_the_schema_describes_every_field() -> None:
    schema = evidence_schema()
    for name, part in {"Evidence": schema, **schema["$defs"]}.items():
        assert part["description"]
        assert [field for field, kind in part["properties"].items() if "description" not in kind] == [], name
