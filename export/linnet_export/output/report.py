"""Report of an export: the figures that are printed and stored in the evidence of the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.format.evidence import Report
from linnet.format.json_objects import write_object

__all__ = ["ExportReport"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportReport(Report):
    """Report of one export: that of the evidence, with fields about the finished file.

    Attributes:
        path: the written file.
        sha256: SHA-256 of the whole file, hexadecimal.
        file_bytes: size of the whole file; bytes.
        status: proven or unproven.
        budget: limits of the proof by name.
        figures: figures of the proof by name; empty if unproven.
        fused: figures of ``forward_fused`` by name; empty if the file does not have the method.
        seven_bits: figures of ``forward_fused`` with activations rounded to 7 bits.
        activation_bits: fewest bits of rounded activations that are within the budget, 7 or 8.
        texts: number of texts in the proof.
    """

    path: Path
    sha256: str
    status: str
    budget: Mapping[str, float]
    figures: Mapping[str, float]
    fused: Mapping[str, float] = dataclasses.field(default_factory=dict)
    seven_bits: Mapping[str, float] = dataclasses.field(default_factory=dict)
    activation_bits: int = 8
    texts: int

    def to_json(self) -> dict[str, Any]:
        """Return the report as an object that JSON can represent."""
        values: dict[str, Any] = write_object(self)
        return {**values, "path": str(self.path)}
