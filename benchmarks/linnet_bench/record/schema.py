"""JSON Schema (draft 2020-12) of the record, made from the dataclasses: ``python -m linnet_bench.record.schema``.

The committed copy is ``docs/bench-record.schema.json``; a test compares it with what this module makes. Descriptions
come from the dataclasses' docstrings. A document may have fields that the schema does not know: those of a newer minor
version.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from linnet_bench.record.json_schema import dataclass_schema
from linnet_bench.record.record import LEAST_WHOLE, RECORD_KIND, RECORD_MAJOR, RECORD_MINOR, Record

__all__ = ["record_schema", "schema_text"]


def record_schema() -> dict[str, Any]:
    """Return the schema of :class:`linnet_bench.record.record.Record`."""
    title = f"Record of linnet bench, {RECORD_MAJOR}.{RECORD_MINOR}"
    version = {"type": "string", "pattern": rf"^{RECORD_MAJOR}\.\d+$"}
    fixed = {"kind": {"const": RECORD_KIND}, "schema_version": version}
    schema = dataclass_schema(Record, title, fixed, least=LEAST_WHOLE)
    schema["required"] = ["kind", "schema_version", *schema["required"]]
    return schema


def schema_text() -> str:
    """Return the schema as text, in the form of the committed copy."""
    return json.dumps(record_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
