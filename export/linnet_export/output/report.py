"""Report of an export: the figures that are printed and stored in the evidence of the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.format.evidence import EntityProof, Report
from linnet.format.json_objects import write_object
from linnet_bench.accuracy.entity_errors import EntityError

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
        entities: recall and precision of a tagger on labelled rows; None: not measured.
        entity_errors: wrong entities of those rows, as many as were asked for.
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
    entities: EntityProof | None = None
    entity_errors: tuple[EntityError, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the report as an object that JSON can represent."""
        values: dict[str, Any] = write_object(self)
        return {**values, "path": str(self.path)}
