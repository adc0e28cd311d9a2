"""Conversion between frozen dataclasses and JSON, tolerant of older, newer and damaged documents.

The dataclass defines the format: the name of a field is its key. Keys without a field are ignored. A field whose key is
missing, is null or has a value of another type gets its default; a wrong type is also reported with its path. Whole
numbers are counts, positions and sizes: none is negative. A dataclass whose ``__post_init__`` raises a ValueError,
because its fields contradict each other, counts as a value of a wrong type.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from linnet.format.bounded_json import MOST_WHOLE

__all__ = ["NOT_IN_JSON", "OMIT_DEFAULT", "has_default", "read_object", "write_object"]

NOT_IN_JSON: Mapping[str, Any] = types.MappingProxyType({"json": "never"})
"""Metadata of a field that is not part of the JSON document."""

OMIT_DEFAULT: Mapping[str, Any] = types.MappingProxyType({"json": "unless default"})
"""Metadata of a field that is omitted from the JSON document if it has its default."""

_T = TypeVar("_T")

_MOST_REAL = 3.4028234e38  # the largest float32: what a program can give


class _UnfitError(ValueError):
    """A required value is missing or has another type; the message is its path."""


def read_object(cls: type[_T], data: Mapping[str, Any]) -> tuple[_T, tuple[str, ...]]:
    """Read a dataclass from a parsed JSON object; all its fields must have defaults.

    Returns:
        The dataclass, and the paths of the values of a wrong type, such as ``golden[0].output.logits.shape``.
    """
    damaged: list[str] = []
    value = _read_dataclass(cls, data, "", damaged)
    assert isinstance(value, cls)
    return value, tuple(damaged)


def write_object(value: Any) -> Any:
    """Convert a dataclass, or a value in one, to an object that :func:`json.dumps` can write."""
    if dataclasses.is_dataclass(value):
        fields = [field for field in dataclasses.fields(value) if _is_written(field, getattr(value, field.name))]
        return {field.name: write_object(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {key: write_object(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [write_object(item) for item in value]
    return value


def has_default(field: dataclasses.Field[Any]) -> bool:
    """Return whether the field has a default, so that a document may omit it."""
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _is_written(field: dataclasses.Field[Any], value: object) -> bool:
    if field.metadata != OMIT_DEFAULT:
        return field.metadata != NOT_IN_JSON
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    return bool(value != default)


@functools.cache
def _types(cls: type) -> Mapping[str, Any]:
    return typing.get_type_hints(cls)


def _read(kind: Any, data: object, path: str, damaged: list[str]) -> Any:
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, data, path, damaged)
    if origin in (types.UnionType, typing.Union):
        (some,) = (choice for choice in typing.get_args(kind) if choice is not types.NoneType)
        return None if data is None else _read(some, data, path, damaged)
    if origin is tuple:
        return _read_items(typing.get_args(kind), data, path, damaged)
    if hasattr(kind, "_fields"):
        return kind(*_read_items(tuple(_types(kind).values()), data, path, damaged))
    if origin is Mapping:
        return _read_entries(typing.get_args(kind)[1], data, path, damaged)
    if not _fits(kind, data):
        raise _UnfitError(path)
    return data


def _fits(kind: type, data: object) -> bool:
    # type() instead of isinstance(), because bool is a subclass of int
    if kind is int:
        return type(data) is int and 0 <= data <= MOST_WHOLE
    if kind is float:
        return type(data) in (int, float) and -_MOST_REAL <= data <= _MOST_REAL  # type: ignore[operator]
    return type(data) is kind


def _read_dataclass(cls: Any, data: object, path: str, damaged: list[str]) -> Any:
    if not isinstance(data, Mapping):
        raise _UnfitError(path)
    kinds = _types(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        name = f"{path}.{field.name}".lstrip(".")
        optional = has_default(field)
        if field.metadata == NOT_IN_JSON or (optional and data.get(field.name) is None):
            continue
        try:
            values[field.name] = _read(kinds[field.name], data.get(field.name), name, damaged)
        except _UnfitError as error:
            if not optional:
                raise
            damaged.append(str(error))
    try:
        return cls(**values)
    except ValueError as error:
        raise _UnfitError(path) from error


def _read_items(kinds: tuple[Any, ...], data: object, path: str, damaged: list[str]) -> tuple[Any, ...]:
    """Read an array: of any length if ``kinds`` is (kind, ...), else of one value for each kind."""
    if not isinstance(data, list | tuple):
        raise _UnfitError(path)
    if kinds[1:] == (...,):
        # fast path, since arrays can have thousands of numbers
        if kinds[0] in (int, float) and all(_fits(kinds[0], item) for item in data):
            return tuple(data)
        kinds = kinds[:1] * len(data)
    if len(kinds) != len(data):
        raise _UnfitError(path)
    return tuple(
        _read(kind, item, f"{path}[{index}]", damaged)
        for index, (kind, item) in enumerate(zip(kinds, data, strict=True))
    )


def _read_entries(kind: Any, data: object, path: str, damaged: list[str]) -> dict[str, Any]:
    """Read an object whose values have one type; values of another type are left out and reported."""
    if not isinstance(data, Mapping):
        raise _UnfitError(path)
    values: dict[str, Any] = {}
    for key, item in data.items():
        try:
            values[str(key)] = _read(kind, item, f"{path}.{key}", damaged)
        except _UnfitError as error:
            damaged.append(str(error))
    return values
