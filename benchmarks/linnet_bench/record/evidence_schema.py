"""JSON Schema of the evidence; ``python -m linnet_bench.record.evidence_schema`` prints it.

The committed copy is ``docs/reference/evidence.schema.json``; a test compares it with the output of this module. A
document of a newer minor version may have fields that are not in the schema.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from linnet.format.evidence import EVIDENCE_MAJOR, EVIDENCE_SCHEMA, Evidence
from linnet_bench.record.json_schema import dataclass_schema

__all__ = ["evidence_schema", "schema_text"]


def evidence_schema() -> dict[str, Any]:
    """Return the schema of :class:`linnet.format.evidence.Evidence`."""
    version = {"type": "string", "pattern": rf"^{EVIDENCE_MAJOR}\.\d+$"}
    return dataclass_schema(Evidence, f"Evidence of a linnet file, {EVIDENCE_SCHEMA}", {"schema": version}, least=0)


def schema_text() -> str:
    """Return the schema as JSON text, as in the committed copy."""
    return json.dumps(evidence_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
