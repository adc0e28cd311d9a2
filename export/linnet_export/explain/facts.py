"""Facts about a file for `linnet explain`: manifest, evidence, bytes by part, versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.format.evidence import Evidence, LayerPrecision
from linnet.format.json_objects import write_object
from linnet.format.manifest import Manifest
from linnet.format.trailer import FOOTER_SIZE, read_trailer
from linnet.loading import load
from linnet.runtime import runtime_info

__all__ = ["Facts", "Part", "read_facts"]

_READERS = {"version": "linnet", "executorch": "ExecuTorch"}  # keys of runtime_info(), and their titles


@dataclasses.dataclass(frozen=True)
class Part:
    """Size of one part of the file, in bytes."""

    name: str
    size: int


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything that the page shows, except latencies.

    Attributes:
        name: name of the file, without its folder.
        size: size of the file in bytes.
        manifest: manifest of the file.
        evidence: evidence of the file; fields that an older version did not record, or that are damaged, have
            their defaults.
        parts: sizes of all parts of the file.
        versions: versions of the packages that made the file, and of the runtime here.
    """

    name: str
    size: int
    manifest: Manifest
    evidence: Evidence
    parts: tuple[Part, ...]
    versions: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the facts as an object that JSON can represent, with the size of the tokenizer, not its bytes."""
        evidence, report, details = self.evidence, self.evidence.report, self.evidence.details
        contract = {field.name: getattr(self.manifest, field.name) for field in dataclasses.fields(self.manifest)}
        return {
            "name": self.name,
            "size": self.size,
            "manifest": {
                name: {"bytes": len(value)} if isinstance(value, bytes) else value for name, value in contract.items()
            },
            "status": evidence.status,
            "reason": evidence.reason,
            "parts": write_object(self.parts),
            "steps": _steps_json(evidence),
            "layers": None if report.layers is None else [_layer_json(layer, evidence) for layer in report.layers],
            "layer_texts": details.layer_texts,
            "budget": evidence.budget,
            "figures": evidence.figures,
            "fused": evidence.proof_fused,
            **_seven_bits_json(evidence),
            "texts": evidence.texts,
            "golden": len(evidence.golden),
            "tolerance": evidence.tolerance.absolute,
            "worst": write_object(evidence.worst),
            "versions": self.versions,
            "notes": report.notes,
            "seconds": report.seconds,
            "planned": report.planned_bytes,
            **_mixed_json(evidence),
        }


def _steps_json(evidence: Evidence) -> dict[str, Any] | None:
    steps = evidence.details.steps
    return None if steps is None else {name: [vars(step) for step in method] for name, method in steps.items()}


def _layer_json(layer: LayerPrecision, evidence: Evidence) -> dict[str, Any]:
    error = evidence.details.layer_errors.get(layer.name)
    return {
        **{"name": layer.name, "kind": layer.kind, "precision": layer.precision, "size": layer.stored_bytes},
        "given": None if error is None else error.given,
        "running": None if error is None else error.running,
    }


def _seven_bits_json(evidence: Evidence) -> dict[str, Any]:
    if not evidence.proof_seven_bits:
        return {}
    return {"seven_bits": evidence.proof_seven_bits, "activation_bits": evidence.activation_bits}


def _mixed_json(evidence: Evidence) -> dict[str, Any]:
    mixed = evidence.report.mixed_precision
    if mixed is None:
        return {"curve": [], "sensitivity": []}
    return {
        "curve": [
            {"raised": point.raised, "size": point.stored_bytes, "error": point.error, "within": point.within,
             "chosen": point.raised == mixed.raised}
            for point in mixed.curve
        ],
        "sensitivity": [
            {"name": layer.name, "precision": layer.precision, "error": layer.error} for layer in mixed.layers
        ],
    }  # fmt: skip


def read_facts(path: Path) -> Facts:
    """Read the facts of a file.

    Raises:
        FileError: the file is missing, damaged, too new or not a linnet file.
        BuildError: this build lacks something that the program needs.
    """
    with load(path, self_test=False) as model:
        manifest, evidence = model.manifest, model.evidence
    trailer = read_trailer(path)
    parsed = sum(size for _, size in trailer.ranges)
    size = path.stat().st_size
    return Facts(
        name=path.name,
        size=size,
        manifest=manifest,
        evidence=evidence,
        parts=_parts(size, trailer.program_size, parsed, manifest, evidence),
        versions=_versions(manifest, evidence),
    )


def _versions(manifest: Manifest, evidence: Evidence) -> dict[str, str]:
    here = runtime_info()
    return {
        "made by": manifest.producer,
        "ExecuTorch": manifest.executorch_version,
        **evidence.details.versions,
        **{f"read by: {title}": str(here[name]) for name, title in _READERS.items() if name in here},
    }


def _parts(
    size: int,
    program: int,
    parsed: int,
    manifest: Manifest,
    evidence: Evidence,
) -> tuple[Part, ...]:
    """Return the sizes of all parts, which add up to the size of the file.

    Args:
        size: bytes of the file.
        program: bytes of the program.
        parsed: bytes of the program that are parsed, as opposed to weights.
        manifest: manifest of the file.
        evidence: evidence of the file.
    """
    known, layers = evidence.report.parts, evidence.report.layers or ()
    parts = [*_tables(known.get("embedding", 0), layers), *_linears(known.get("linears", 0), layers)]
    parts.append(Part("tokenizer", len(manifest.tokenizer)))
    parts.append(Part("program: instructions, XNNPACK graphs, manifest", parsed))
    rest = program - sum(part.size for part in parts)
    if rest < 0:  # the tokenizer can be inside of the parsed bytes and is then counted twice
        parts[-1] = Part(parts[-1].name, max(0, parts[-1].size + rest))
        rest = program - sum(part.size for part in parts)
    parts.append(Part("normalizations, other constants, padding", rest))
    parts.append(Part("evidence", size - program - FOOTER_SIZE))
    parts.append(Part("hashes", FOOTER_SIZE))
    return tuple(part for part in parts if part.size)


def _tables(total: int, layers: Sequence[LayerPrecision]) -> list[Part]:
    words = sum(layer.stored_bytes for layer in layers if layer.kind == "embedding" and layer.name.endswith("word"))
    if not 0 < words < total:
        return [Part("embedding tables", total)]
    return [Part("word embedding", words), Part("position and token type tables", total - words)]


def _linears(total: int, layers: Sequence[LayerPrecision]) -> list[Part]:
    sizes: dict[str, int] = {}
    for layer in layers:
        if layer.kind == "linear":
            sizes[layer.precision] = sizes.get(layer.precision, 0) + layer.stored_bytes
    if sum(sizes.values()) != total:
        return [Part("linear layers", total)]
    return [Part(f"linear layers, {precision}", size) for precision, size in sizes.items()]
