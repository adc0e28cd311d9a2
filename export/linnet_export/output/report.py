"""What an export did: the figures that are printed and kept in the file's evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linnet_export.quantize.recipes.base import LayerPrecision
    from linnet_export.quantize.sensitivity import MixedPrecision

__all__ = ["ExportReport"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportReport:
    """The report of one export.

    Attributes:
        path: the written file (not part of the evidence).
        sha256: SHA-256 of the whole file, hexadecimal (not part of the evidence, which it covers).
        task: Hugging Face task name.
        recipe: quantization recipe by name.
        file_bytes: size of the file; in the evidence, of the program without its trailer; bytes.
        checkpoint_bytes: size of the checkpoint's weights; bytes.
        parts: bytes by part: embedding, linears, other (everything else in the file).
        partitions: calls of delegates (XNNPACK, and linnet's own in `forward_fused`), by method.
        operators_outside: how often each operator stayed outside of XNNPACK, by method.
        planned_bytes: memory planned for activations at the bound, by method.
        max_length: bound in tokens.
        max_batch: largest batch of forward_batch, 0 if there is no such method.
        quantization: what the recipe did, in words.
        kept: layers that stayed in float32.
        layers: what became of every linear layer and embedding table, in the order of the graph; as JSON
            a list of objects with name, kind, precision, shape and stored_bytes.
        mixed_precision: what automatic mixed precision measured: sensitivity by layer, curve of size
            against error; None if it was not asked for.
        seconds: wall-clock seconds by stage.
        status: proven or unproven.
        budget: limits of the proof.
        figures: figures of the proof; empty if unproven.
        fused: the same of ``forward_fused``; empty if the file has none.
        texts: number of texts in the proof.
        notes: what the user should know besides.
    """

    path: Path
    sha256: str
    task: str
    recipe: str
    file_bytes: int
    checkpoint_bytes: int
    parts: Mapping[str, int]
    partitions: Mapping[str, int]
    operators_outside: Mapping[str, Mapping[str, int]]
    planned_bytes: Mapping[str, int]
    max_length: int
    max_batch: int
    quantization: str
    kept: tuple[str, ...]
    layers: tuple[LayerPrecision, ...]
    seconds: Mapping[str, float]
    status: str
    budget: Mapping[str, float]
    figures: Mapping[str, float]
    texts: int
    notes: tuple[str, ...] = ()
    mixed_precision: MixedPrecision | None = None
    fused: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the report as what JSON can hold."""
        values = dataclasses.asdict(self)
        return {
            **values,
            "path": str(self.path),
            "notes": list(self.notes),
            "kept": list(self.kept),
            "layers": list(values["layers"]),
        }

    def to_evidence(self) -> dict[str, Any]:
        """Return what the file's evidence keeps: all but what is known only of the finished file, and
        the proof, which has its own place there."""
        elsewhere = {"path", "sha256", "status", "budget", "figures", "fused", "texts"}
        return {name: value for name, value in self.to_json().items() if name not in elsewhere}
