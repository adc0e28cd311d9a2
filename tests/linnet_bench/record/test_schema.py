"""The JSON Schema: the committed file is what the dataclasses make, and the standard's own validator takes it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from linnet_bench.record.record import to_json
from linnet_bench.record.schema import record_schema, schema_text
from tests.support.records import GOLDEN, make_record, wrong_record

COMMITTED = Path(__file__).parents[3] / "docs" / "bench-record.schema.json"


def test_the_committed_schema_is_what_the_dataclasses_make() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema_text()


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(record_schema())


@pytest.mark.parametrize("path", sorted(GOLDEN.parent.glob("record_v1*.json")), ids=lambda path: path.stem)
def test_records_of_every_minor_version_fit(path: Path) -> None:
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), record_schema())


def test_a_record_of_a_machine_that_answers_wrongly_fits() -> None:
    jsonschema.validate(json.loads(to_json(wrong_record())), record_schema())


@pytest.mark.parametrize(
    ("field", "value"), [("kind", "other"), ("schema_version", "2.0"), ("partial", "no"), ("runs", [3]), ("file", {})]
)
def test_what_the_reader_refuses_does_not_fit(field: str, value: object) -> None:
    data = {**json.loads(to_json(make_record())), field: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, record_schema())


def test_every_field_is_described() -> None:
    schema = record_schema()
    parts = {"Record": schema, **schema["$defs"]}
    missing = [
        f"{name}.{field}" for name, part in parts.items() for field, about in part["properties"].items()
        if not about.get("description")
    ]  # fmt: skip
    assert missing == []
