"""The record as JSON Schema (draft 2020-12), made from the dataclasses: ``python -m linnet_bench.record.schema``.

The committed copy is ``docs/bench-record.schema.json``; a test holds it to what this module makes. Descriptions come
from the dataclasses' docstrings. A document may have fields that the schema does not know: those of a newer minor
version.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any

from linnet_bench.record.record import RECORD_KIND, RECORD_MAJOR, RECORD_MINOR, Record, has_default

__all__ = ["record_schema", "schema_text"]

_PLAIN: Mapping[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_ENTRY = re.compile(r"^ {8}(\w[\w, ]*):(.*(?:\n {12,}.*)*)", re.MULTILINE)
"""One entry of a docstring's list of attributes, with the lines that go on."""


def record_schema() -> dict[str, Any]:
    """Return the schema of :class:`linnet_bench.record.record.Record`."""
    definitions: dict[str, Any] = {}
    _define(Record, definitions)
    root = definitions.pop(Record.__name__)
    root["properties"]["kind"] = {"const": RECORD_KIND, **_described(root, "kind")}
    pattern = rf"^{RECORD_MAJOR}\.\d+$"
    root["properties"]["schema_version"] = {"type": "string", "pattern": pattern, **_described(root, "schema_version")}
    root["required"] = ["kind", "schema_version", *root["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Record of linnet bench, {RECORD_MAJOR}.{RECORD_MINOR}",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """Return the schema as it is committed."""
    return json.dumps(record_schema(), ensure_ascii=False, indent=1) + "\n"


def _described(schema: Mapping[str, Any], name: str) -> dict[str, str]:
    text = schema["properties"][name].get("description")
    return {"description": text} if text else {}


def _define(cls: type, definitions: dict[str, Any]) -> None:
    """Add a dataclass, and those that it is made of."""
    if cls.__name__ in definitions:
        return
    definitions[cls.__name__] = {}  # known from now on, should it hold itself
    texts = _attribute_texts(cls)
    kinds = typing.get_type_hints(cls)
    properties, required = {}, []
    for field in dataclasses.fields(cls):
        properties[field.name] = {**_type(kinds[field.name], definitions)}
        if field.name in texts:
            properties[field.name]["description"] = texts[field.name]
        if not has_default(field):
            required.append(field.name)
    definitions[cls.__name__] = {
        "description": _as_json((inspect.getdoc(cls) or "").partition("\n")[0]),
        "type": "object",
        "properties": properties,
        "required": required,
    }


def _type(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        _define(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin in (types.UnionType, typing.Union):
        (some,) = (each for each in typing.get_args(kind) if each is not types.NoneType)
        return {"anyOf": [_type(some, definitions), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _type(typing.get_args(kind)[0], definitions)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _type(typing.get_args(kind)[1], definitions)}
    return {"type": _PLAIN[kind]}


def _attribute_texts(cls: type) -> dict[str, str]:
    """Return what a docstring says about each attribute; several may share an entry."""
    _, _, listed = (cls.__doc__ or "").partition("Attributes:\n")
    texts = {}
    for names, text in _ENTRY.findall(listed):
        for name in names.split(","):
            texts[name.strip()] = _as_json(text)
    return texts


def _as_json(text: str) -> str:
    """Say with JSON's words what a docstring says with Python's."""
    for python, json_word in (("None", "null"), ("True", "true"), ("False", "false")):
        text = re.sub(rf"\b{python}\b", json_word, text)
    return " ".join(re.sub(r":class:`~?[\w.]*?(\w+)`", r"`\1`", text.replace("``", "`")).split())


if __name__ == "__main__":
    sys.stdout.write(schema_text())
