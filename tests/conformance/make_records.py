"""Records of the conformance cases as lines; README.md beside this file describes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from linnet.format.manifest import RawValue

__all__ = ["Record", "escape", "field_line", "field_record", "numbers", "output_line", "output_records"]

Record: TypeAlias = Sequence[object]


def escape(value: object) -> str:
    """Return a field as it stands in the file."""
    if value is None:
        return "\\-"
    text = f"{value:.9g}" if isinstance(value, float | np.floating) else str(value)
    for found, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0")):
        text = text.replace(found, written)
    return text


def numbers(values: Iterable[Any]) -> str:
    """Return numbers with spaces between."""
    return " ".join(
        f"{float(value):.9g}" if isinstance(value, float | np.floating) else str(int(value)) for value in values
    )


def field_record(name: str, value: RawValue) -> Record:
    """One field of the manifest."""
    written = value.hex() if isinstance(value, bytes) else int(value) if isinstance(value, bool) else value
    return ("field", name, type(value).__name__, written)


def output_records(outputs: Sequence[Any]) -> list[Record]:
    """Outputs of one run, with their batch axis."""
    return [("output", numbers((1, *output.shape)), numbers(output.ravel())) for output in outputs]


def field_line(name: str, value: RawValue) -> str:
    """One field of a manifest as a line."""
    return "\t".join(map(escape, field_record(name, value)))


def output_line(output: Any) -> str:
    """An output with its batch axis as a line."""
    return "\t".join(map(escape, ("output", numbers(output.shape), numbers(output.ravel()))))
