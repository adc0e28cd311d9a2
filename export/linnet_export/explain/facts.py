"""What a file says about itself, typed. Evidence of an older version, or damaged, lacks parts: they are None."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from linnet.format.manifest import Manifest
from linnet.format.trailer import FOOTER_SIZE, read_trailer
from linnet.loading import load
from linnet.runtime import runtime_info

__all__ = ["CurvePoint", "Facts", "Layer", "Part", "Sensitivity", "Step", "Worst", "read_facts"]

_T = TypeVar("_T")

_READERS = {"version": "linnet", "executorch": "ExecuTorch"}  # of runtime_info()


@dataclasses.dataclass(frozen=True)
class Part:
    """Bytes of the file by what they are for."""

    name: str
    size: int


@dataclasses.dataclass(frozen=True)
class Layer:
    """One linear layer or embedding table.

    Attributes:
        name, kind, precision: as the exporter calls them.
        size: stored bytes.
        given: relative L2 error of its output at the true input; None: not measured.
        running: the same inside of the running quantized model.
    """

    name: str
    kind: str
    precision: str
    size: int
    given: float | None
    running: float | None


@dataclasses.dataclass(frozen=True)
class Step:
    """One partition, or the operators between two partitions.

    Attributes:
        partition: counted from 1; 0 outside of the delegate.
        operators: count by name.
        reasons: why an operator stayed outside, by its name.
    """

    partition: int
    operators: Mapping[str, int]
    reasons: Mapping[str, str]

    @property
    def count(self) -> int:
        """Number of operators."""
        return sum(self.operators.values())


@dataclasses.dataclass(frozen=True)
class Worst:
    """One of the texts that the program answers most differently from the original.

    Attributes:
        text, pair: what was answered.
        difference: in the figure that the task is judged by: 1 - cosine, or the share of other answers.
        error: largest error of an output, relative to the largest value if that is above 1; None: not recorded.
    """

    text: str
    pair: str | None
    difference: float
    error: float | None


@dataclasses.dataclass(frozen=True)
class CurvePoint:
    """One mixture of an automatic mixed precision.

    Attributes:
        raised: steps to a higher precision, each of one layer.
        size: stored bytes of all linear layers and embedding tables.
        error: norm of the difference of all outputs, divided by the norm of the original's.
        within: the budget holds.
        chosen: it is the mixture in the file.
    """

    raised: int
    size: int
    error: float
    within: bool
    chosen: bool


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """What quantizing one layer alone does to the answers: ``error`` as in :class:`CurvePoint`."""

    name: str
    precision: str
    error: float


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything that the page shows but latencies.

    Attributes:
        name: of the file, without its folder.
        size: of the file, in bytes.
        manifest: the contract.
        status, reason: of the proof: proven or unproven, and why.
        parts: the whole file by part.
        steps: by method; None: not recorded.
        layers: None: not recorded.
        layer_texts: number of texts behind the errors of layers.
        budget, figures: limits and figures of the proof by name; empty if unproven.
        fused: figures of forward_fused; empty if the file has none, or did not record them.
        texts: number of texts of the proof.
        golden: number of golden cases.
        tolerance: of golden cases; None if there is none.
        worst: worst first; None: not recorded.
        versions: who made the file, and what reads it.
        notes: of the export.
        seconds: of the export, by stage.
        planned: bytes planned for activations at the bound, by method.
        curve: of an automatic mixed precision, smallest first; empty if there was none.
        sensitivity: of each layer, most worth raising first; empty if there was none.
    """

    name: str
    size: int
    manifest: Manifest
    status: str
    reason: str
    parts: tuple[Part, ...]
    steps: Mapping[str, tuple[Step, ...]] | None
    layers: tuple[Layer, ...] | None
    layer_texts: int
    budget: Mapping[str, float]
    figures: Mapping[str, float]
    fused: Mapping[str, float]
    texts: int
    golden: int
    tolerance: float | None
    worst: tuple[Worst, ...] | None
    versions: Mapping[str, str]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    planned: Mapping[str, int]
    curve: tuple[CurvePoint, ...]
    sensitivity: tuple[Sensitivity, ...]

    def to_json(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold; of the tokenizer's bytes only their number."""
        values = dataclasses.asdict(dataclasses.replace(self, manifest=None))  # type: ignore[arg-type]
        contract = {field.name: getattr(self.manifest, field.name) for field in dataclasses.fields(self.manifest)}
        values["manifest"] = {
            name: {"bytes": len(value)} if isinstance(value, bytes) else value for name, value in contract.items()
        }
        return values


def read_facts(path: Path) -> Facts:
    """Read a file.

    Raises:
        FileError: the file is missing, damaged, too new or no linnet file.
        BuildError: this build lacks something that the program needs.
    """
    with load(path, self_test=False) as model:
        manifest, evidence = model.manifest, model.evidence
    trailer = read_trailer(path)
    details, report = _object(evidence, "details"), _object(evidence, "report")
    layers = _maybe(lambda: _layers(report["layers"], _object(details, "layer_errors")))
    mixed = _object(report, "mixed_precision")
    proof = _object(evidence, "proof")
    parsed = sum(size for _, size in trailer.ranges)
    size = path.stat().st_size
    return Facts(
        name=path.name,
        size=size,
        manifest=manifest,
        status=str(evidence.get("status", "unproven")),
        reason=str(evidence.get("reason", "")),
        parts=_parts(size, trailer.program_size, parsed, manifest, report, layers),
        steps=_maybe(lambda: {name: tuple(map(_step, steps)) for name, steps in details["steps"].items()}),
        layers=layers,
        layer_texts=int(_maybe(lambda: int(details["layer_texts"])) or 0),
        budget=_numbers(_object(evidence, "budget")),
        figures={name: value for name, value in _numbers(proof).items() if name != "texts"},
        fused=_numbers(_object(evidence, "proof_fused")),
        texts=int(_numbers(proof).get("texts", 0)),
        golden=len(_list(evidence, "golden")),
        tolerance=_numbers(_object(evidence, "tolerance")).get("absolute"),
        worst=_maybe(lambda: tuple(map(_worst, evidence["worst"]))),
        versions=_versions(manifest, details),
        notes=tuple(str(each) for each in _list(report, "notes")),
        seconds=_numbers(_object(report, "seconds")),
        planned={name: int(value) for name, value in _numbers(_object(report, "planned_bytes")).items()},
        curve=_maybe(lambda: tuple(_curve_point(each, mixed["raised"]) for each in mixed["curve"])) or (),
        sensitivity=_maybe(lambda: tuple(map(_sensitivity, mixed["layers"]))) or (),
    )


def _maybe(read: Callable[[], _T]) -> _T | None:
    """Return what is read, or None where the evidence has not that form: a page says so in its place."""
    try:
        return read()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(holder: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []


def _numbers(holder: Mapping[str, Any]) -> dict[str, float]:
    return {
        str(name): value
        for name, value in holder.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def _layers(rows: Sequence[Mapping[str, Any]], errors: Mapping[str, Any]) -> tuple[Layer, ...]:
    found: list[Layer] = []
    for row in rows:
        given, running = errors.get(row["name"], (None, None))
        name, kind, precision = str(row["name"]), str(row["kind"]), str(row["precision"])
        found.append(Layer(name, kind, precision, int(row["stored_bytes"]), _number(given), _number(running)))
    return tuple(found)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _step(value: Mapping[str, Any]) -> Step:
    operators = {str(name): int(count) for name, count in value["operators"].items()}
    reasons = {str(name): str(reason) for name, reason in value.get("reasons", {}).items()}
    return Step(int(value["partition"]), operators, reasons)


def _worst(value: Mapping[str, Any]) -> Worst:
    pair = value.get("pair")
    difference = float(value["difference"])
    return Worst(str(value["text"]), None if pair is None else str(pair), difference, _number(value.get("error")))


def _curve_point(value: Mapping[str, Any], chosen: int) -> CurvePoint:
    raised = int(value["raised"])
    within = value["within"] is True
    return CurvePoint(raised, int(value["stored_bytes"]), float(value["error"]), within, raised == chosen)


def _sensitivity(value: Mapping[str, Any]) -> Sensitivity:
    return Sensitivity(str(value["name"]), str(value["precision"]), float(value["error"]))


def _versions(manifest: Manifest, details: Mapping[str, Any]) -> dict[str, str]:
    made = {str(name): str(value) for name, value in _object(details, "versions").items()}
    here = _maybe(lambda: dict(runtime_info())) or {}
    return {
        "made by": manifest.producer,
        "ExecuTorch": manifest.executorch_version,
        **made,
        **{f"read by: {title}": str(here[name]) for name, title in _READERS.items() if name in here},
    }


def _parts(
    size: int,
    program: int,
    parsed: int,
    manifest: Manifest,
    report: Mapping[str, Any],
    layers: Sequence[Layer] | None,
) -> tuple[Part, ...]:
    """The whole file, by part; sums to its size."""
    known = _numbers(_object(report, "parts"))
    embedding, linears = int(known.get("embedding", 0)), int(known.get("linears", 0))
    parts = [*_tables(embedding, layers), *_linears(linears, layers)]
    parts.append(Part("tokenizer", len(manifest.tokenizer)))
    parts.append(Part("program: instructions, XNNPACK graphs, contract", parsed))
    rest = program - sum(each.size for each in parts)
    if rest < 0:  # the tokenizer's bytes can lie inside of what is parsed
        parts[-1] = Part(parts[-1].name, max(0, parts[-1].size + rest))
        rest = program - sum(each.size for each in parts)
    parts.append(Part("normalizations, other constants, padding", rest))
    parts.append(Part("evidence", size - program - FOOTER_SIZE))
    parts.append(Part("hashes", FOOTER_SIZE))
    return tuple(each for each in parts if each.size)


def _tables(total: int, layers: Sequence[Layer] | None) -> list[Part]:
    words = sum(each.size for each in layers or () if each.kind == "embedding" and each.name.endswith("word"))
    if not 0 < words < total:
        return [Part("embedding tables", total)]
    return [Part("word embedding", words), Part("position and token type tables", total - words)]


def _linears(total: int, layers: Sequence[Layer] | None) -> list[Part]:
    sizes: dict[str, int] = {}
    for each in layers or ():
        if each.kind == "linear":
            sizes[each.precision] = sizes.get(each.precision, 0) + each.size
    if sum(sizes.values()) != total:
        return [Part("linear layers", total)]
    return [Part(f"linear layers, {precision}", size) for precision, size in sizes.items()]
