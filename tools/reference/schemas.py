"""The pages of the data formats: fields of the manifest, and the JSON schemas with their fields at the top."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.reference.markdown import GENERATED, cell, table

from linnet.format.manifest import SCHEMA_MAJOR, SCHEMA_MINOR, Manifest

__all__ = ["manifest_page", "schemas_page"]

_TYPES = {tuple: "list of str"}


def manifest_page() -> str:
    """Return the page of the manifest's fields."""
    fields = dataclasses.fields(Manifest)
    rows = [(f"`{field.name}`", _type_name(field), _range(field), cell(str(field.metadata["doc"]))) for field in fields]
    lines = [
        GENERATED.format(source="the dataclass Manifest of the package linnet"),
        "# Manifest",
        "",
        f"The manifest is inside the program: {len(fields)} constant methods, schema {SCHEMA_MAJOR}.{SCHEMA_MINOR}. "
        "`linnet inspect FILE` shows their values, `linnet_model_value` returns one of them. "
        "[File format](../concepts/file-format.md) explains how they are stored.",
        "",
        *table(["field", "type", "range", "meaning"], rows),
    ]
    return "\n".join(lines) + "\n"


def _type_name(field: dataclasses.Field[Any]) -> str:
    kind = field.metadata["kind"]
    return _TYPES.get(kind) or str(kind.__name__)


def _range(field: dataclasses.Field[Any]) -> str:
    kind, least, most = (field.metadata[name] for name in ("kind", "least", "most"))
    return "" if kind is bool else f"{least} to {most}" if kind is int else f"at most {most} bytes"


def schemas_page(docs: Path) -> str:
    """Return the page of the JSON schemas that lie in ``docs``."""
    lines = [
        GENERATED.format(source="the JSON schemas in docs"),
        "# JSON schemas",
        "",
        "A reader accepts unknown fields of a newer minor version and refuses a newer major version.",
        "",
    ]
    for path in sorted(docs.rglob("*.schema.json")):
        link = "../" * len((docs / "reference").relative_to(docs).parts) + path.relative_to(docs).as_posix()
        lines += [*_schema(json.loads(path.read_text(encoding="utf-8")), path.name, link), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _schema(schema: dict[str, Any], name: str, link: str) -> Iterator[str]:
    yield from (f"## {schema.get('title', name)}", "")
    yield from (f"[{name}]({link}): {cell(schema.get('description', ''))}", "")
    required = set(schema.get("required", ()))
    rows = [
        (f"`{field}`", "yes" if field in required else "", cell(described.get("description", "")))
        for field, described in schema.get("properties", {}).items()
    ]
    yield from table(["field", "required", "meaning"], rows)
