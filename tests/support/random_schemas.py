"""Random JSON schemas of the kind that a constraint supports."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["random_schema"]

_NAMES = ("a", "name", "é", "x y", 'q"uote', "back\\slash", "n\n")
_VALUES: tuple[Any, ...] = ("red", 'a"b', 1, 2.5, None, True, [1, "x"], {"k": []}, "é\n")
_PATTERNS = (r"^[A-Z]{2}-\d{3}$", r"\d", "^a.b$", r"[^\"]\"", r"^(x|y\\)*$", r"\W\S\D", r"^\s$|é")
_KINDS = (
    "object",
    "object",
    "array",
    "text",
    "plain",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "pattern",
    "map",
    "types",
    "any",
)
_FLAT = ("text", "plain", "enum", "pattern")
_ONE_OF = [
    {"type": "string"},
    {"type": "object", "properties": {"kind": {"const": "a"}, "v": {"type": "integer"}}, "required": ["kind"]},
    {"type": "object", "properties": {"kind": {"enum": ["b", "c"]}, "w": {}}, "required": ["kind", "w"]},
]


def random_schema(source: random.Random, level: int = 0) -> Any:
    """Return a schema of at most four levels."""
    kind = source.choice(_KINDS if level < 3 else _FLAT)
    if kind == "object":
        names = source.sample(_NAMES, source.randint(0, 4))
        properties = {name: random_schema(source, level + 1) for name in names}
        return {
            "type": "object",
            "properties": properties,
            "required": [name for name in names if source.random() < 0.5],
        }
    if kind == "array":
        return {"type": "array", "items": random_schema(source, level + 1), **_bounds(source, "minItems", "maxItems")}
    if kind == "text":
        return {"type": "string", **_bounds(source, "minLength", "maxLength")}
    made: dict[str, Any] = {
        "plain": {"type": source.choice(["integer", "number", "boolean", "null"])},
        "enum": {"enum": source.sample(_VALUES, source.randint(1, 4))},
        "const": {"const": source.choice(_VALUES)},
        "oneOf": {"oneOf": _ONE_OF},
        "pattern": {"type": "string", "pattern": source.choice(_PATTERNS)},
        "types": {"type": source.sample(["string", "null", "integer", "boolean"], 2)},
        "any": source.choice([True, {}]),
    }
    if kind == "anyOf":
        return {"anyOf": [random_schema(source, level + 1) for _ in range(source.randint(1, 3))]}
    if kind == "map":
        return {"type": "object", "additionalProperties": random_schema(source, level + 1)}
    return made[kind]


def _bounds(source: random.Random, least: str, most: str) -> dict[str, int]:
    low = source.randint(0, 2)
    bounds = {least: low, most: low + source.randint(0, 3)}
    return {name: bound for name, bound in bounds.items() if source.random() < 0.6}
