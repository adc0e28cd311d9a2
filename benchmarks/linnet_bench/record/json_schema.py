"""JSON Schema (draft 2020-12) of frozen dataclasses, with descriptions from their docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping
from typing import Any

from linnet.format.bounded_json import MOST_WHOLE
from linnet.format.json_objects import NOT_IN_JSON, has_default

__all__ = ["dataclass_schema"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Mapping[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_ENTRY = re.compile(r"^ {8}(\w[\w, ]*):(.*(?:\n {12,}.*)*)", re.MULTILINE)
"""One entry of the attributes in a docstring, with its continuation lines."""


def dataclass_schema(
    cls: type, title: str, constraints: Mapping[str, Mapping[str, Any]], *, least: int
) -> dict[str, Any]:
    """Return the schema of a dataclass and of all dataclasses in it.

    Args:
        cls: the dataclass of the whole document.
        title: title of the schema.
        constraints: schemas by the name of a field of ``cls``, which replace the schema of the field's type.
        least: smallest whole number in the document; the largest is :data:`linnet.format.bounded_json.MOST_WHOLE`.
    """
    definitions: dict[str, Any] = {}
    _define(cls, definitions)
    root = definitions.pop(cls.__name__)
    for name, constraint in constraints.items():
        described = {key: text for key, text in root["properties"][name].items() if key == "description"}
        root["properties"][name] = {**constraint, **described}
    schema = {"$schema": _DRAFT, "title": title, **root, "$defs": dict(sorted(definitions.items()))}
    _bound_integers(schema, least)
    return schema


def _bound_integers(schema: Any, least: int) -> None:
    if isinstance(schema, list):
        for part in schema:
            _bound_integers(part, least)
    elif isinstance(schema, dict):
        if schema.get("type") == "integer":
            schema |= {"minimum": least, "maximum": MOST_WHOLE}
        for part in schema.values():
            _bound_integers(part, least)


def _define(cls: type, definitions: dict[str, Any]) -> None:
    """Add a dataclass, and all dataclasses in it, to the definitions."""
    if cls.__name__ in definitions:
        return
    definitions[cls.__name__] = {}  # defined before its fields are, in case it contains itself
    texts = _attribute_texts(cls)
    kinds = typing.get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.metadata != NOT_IN_JSON]
    properties = {}
    for field in fields:
        properties[field.name] = {**_type(kinds[field.name], definitions)}
        if field.name in texts:
            properties[field.name]["description"] = texts[field.name]
    definitions[cls.__name__] = {
        "description": _in_json_words((inspect.getdoc(cls) or "").partition("\n")[0]),
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields if not has_default(field)],
    }


def _type(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        _define(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin in (types.UnionType, typing.Union):
        (some,) = (choice for choice in arguments if choice is not types.NoneType)
        return {"anyOf": [_type(some, definitions), {"type": "null"}]}
    if origin is tuple and arguments[1:] == (...,):
        return {"type": "array", "items": _type(arguments[0], definitions)}
    if origin is tuple or hasattr(kind, "_fields"):
        items = arguments or tuple(typing.get_type_hints(kind).values())
        types_ = [_type(item, definitions) for item in items]
        return {"type": "array", "prefixItems": types_, "minItems": len(items), "maxItems": len(items)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _type(arguments[1], definitions)}
    return {"type": _PLAIN[kind]}


def _attribute_texts(cls: type) -> dict[str, str]:
    """Return the docstring's text of each attribute; several attributes may share an entry."""
    _, _, listed = (cls.__doc__ or "").partition("Attributes:\n")
    texts = {}
    for names, text in _ENTRY.findall(listed):
        for name in names.split(","):
            texts[name.strip()] = _in_json_words(text)
    return texts


def _in_json_words(text: str) -> str:
    """Replace Python's constants by those of JSON, and remove reStructuredText markup."""
    for python, json_word in (("None", "null"), ("True", "true"), ("False", "false")):
        text = re.sub(rf"\b{python}\b", json_word, text)
    return " ".join(re.sub(r":(?:class|mod):`~?[\w.]*?(\w+)`", r"`\1`", text.replace("``", "`")).split())
