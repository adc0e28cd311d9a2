"""The evidence of a linnet file: proof, golden cases, report of the export and debug map, as dataclasses.

The evidence is the JSON object in the trailer. The dataclasses below *are* its schema: the exporter writes them with
:meth:`Evidence.to_json`, every reader uses :meth:`Evidence.from_json`, and :mod:`linnet.format.evidence_schema` makes
the JSON Schema of them (``docs/reference/evidence.schema.json``). A reader accepts its own major version; fields of a
newer minor version are skipped. What a file does not say, because an older version wrote it or because it is damaged,
has the field's default; :attr:`Evidence.damaged` has the paths of values that did not fit.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from linnet.errors import SchemaTooNewError, TrailerDamagedError
from linnet.format.json_objects import NOT_IN_JSON, OMIT_DEFAULT, read_object, write_object

__all__ = [
    "EVIDENCE_MAJOR",
    "EVIDENCE_MINOR",
    "EVIDENCE_SCHEMA",
    "CurvePoint",
    "Details",
    "Evidence",
    "GoldenCase",
    "GoldenOutput",
    "Instruction",
    "LayerError",
    "LayerPrecision",
    "LayerRun",
    "LayerSensitivity",
    "MixedPrecision",
    "ProgramStep",
    "Report",
    "Tolerance",
    "WorstText",
]

EVIDENCE_MAJOR = 1
EVIDENCE_MINOR = 0
EVIDENCE_SCHEMA = f"{EVIDENCE_MAJOR}.{EVIDENCE_MINOR}"

_SHOWN_PATHS = 3


@dataclasses.dataclass(frozen=True)
class GoldenOutput:
    """One recorded output of a golden case, without the batch axis.

    Attributes:
        shape: of the output; of fill-mask only the rows of the mask tokens.
        values: the first 64 numbers, row-major.
        argmax, max: position and value of the largest number of each row of ``logits``, ``start_logits`` and
            ``end_logits``; None for other outputs.
    """

    shape: tuple[int, ...]
    values: tuple[float, ...]
    argmax: tuple[int, ...] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    max: tuple[float, ...] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoldenCase:
    """What a proven file answered to one text where it was proven; see :mod:`linnet.format.golden`.

    Attributes:
        text: exactly what is tokenized, a prompt included.
        pair: the second text; None: there is none.
        ids, type_ids: the tokens; a pair of question-answering is cut with ``only_second``.
        output: by name, of ``forward``.
        output_fused: the same of ``forward_fused``; None if the file has none.
    """

    text: str
    pair: str | None = None
    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    output: Mapping[str, GoldenOutput]
    output_fused: Mapping[str, GoldenOutput] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """How far another machine may be from a golden case.

    Attributes:
        absolute: largest difference, relative to the output's largest value if that is above 1; None: the default.
    """

    absolute: float | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorstText:
    """One of the texts that the program answers most differently from the original.

    Attributes:
        text, pair: what was answered.
        difference: in the figure that the task is judged by: 1 - cosine, or the share of other answers.
        error: largest error of an output, relative to the largest value if that is above 1; None: not recorded.
    """

    text: str
    pair: str | None = None
    difference: float
    error: float | None = None


@dataclasses.dataclass(frozen=True)
class LayerPrecision:
    """The precision of one layer.

    Attributes:
        name: path of the layer in the device graph, as ``--keep`` takes it.
        kind: linear or embedding.
        precision: by name.
        shape: outputs and inputs of a linear layer, rows and width of an embedding table.
        stored_bytes: bytes of its weights, scales and bias in the program.
    """

    name: str
    kind: str
    precision: str
    shape: tuple[int, int]
    stored_bytes: int


class LayerError(NamedTuple):
    """Relative L2 errors of the output of one quantized layer, over all tokens of the measured texts.

    Attributes:
        given: at its true input, that of the float32 graph.
        running: at its input in the running quantized model.
    """

    given: float
    running: float


@dataclasses.dataclass(frozen=True)
class LayerSensitivity:
    """Effect of quantizing one layer alone on the answers.

    Attributes:
        name: path of the layer in the device graph.
        precision: the recipe's.
        error: as in :class:`CurvePoint`, with all other layers in float32.
        stored_bytes: its bytes in that precision.
        higher: the next precision.
        higher_bytes: its bytes in that one.
    """

    name: str
    precision: str
    error: float
    stored_bytes: int
    higher: str
    higher_bytes: int


@dataclasses.dataclass(frozen=True)
class CurvePoint:
    """One mixture of precisions: size against error.

    Attributes:
        raised: number of steps taken; each raises the next layer of the order to its next precision.
        stored_bytes: bytes of all linear layers and embedding tables.
        error: norm of the difference of all outputs, divided by the norm of the original's.
        figures: figures of the proof by name.
        within: the budget holds.
    """

    raised: int
    stored_bytes: int
    error: float
    figures: Mapping[str, float]
    within: bool


@dataclasses.dataclass(frozen=True)
class MixedPrecision:
    """Result of an automatic mixed precision.

    Attributes:
        layers: sensitivity of each layer, in the order in which they are raised.
        curve: the measured mixtures, smallest first.
        raised: number of steps of the chosen mixture; a step raises a layer to its next precision.
        within: the budget held on the proof's texts, measured before lowering.
        plan: precision of every layer by name.
    """

    layers: tuple[LayerSensitivity, ...]
    curve: tuple[CurvePoint, ...]
    raised: int
    within: bool
    plan: Mapping[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Report of the export.

    Attributes:
        task: Hugging Face task name.
        recipe: quantization recipe by name.
        file_bytes: size of the program without its trailer; bytes.
        checkpoint_bytes: size of the checkpoint's weights; bytes.
        parts: bytes by part: embedding, linears, other (everything else in the file).
        partitions: calls of delegates (XNNPACK, and linnet's own in ``forward_fused``), by method.
        operators_outside: how often each operator stayed outside of the delegates, by method.
        planned_bytes: memory planned for activations at the bound, by method.
        max_length: bound in tokens.
        max_batch: largest batch of ``forward_batch``, 0 if there is no such method.
        quantization: what the recipe did, in words.
        kept: layers that stayed in float32.
        layers: every linear layer and embedding table, in the order of the graph; None: not recorded.
        seconds: wall-clock seconds by stage.
        notes: what the user should know besides.
        mixed_precision: what automatic mixed precision measured; None if it was not asked for.
    """

    task: str = ""
    recipe: str = ""
    file_bytes: int = 0
    checkpoint_bytes: int = 0
    parts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    partitions: Mapping[str, int] = dataclasses.field(default_factory=dict)
    operators_outside: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    planned_bytes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    max_length: int = 0
    max_batch: int = 0
    quantization: str = ""
    kept: tuple[str, ...] = ()
    layers: tuple[LayerPrecision, ...] | None = None
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    mixed_precision: MixedPrecision | None = None


@dataclasses.dataclass(frozen=True)
class ProgramStep:
    """One delegate call, or the operators between two of them.

    Attributes:
        partition: number of the delegate call, counted from 1; 0 outside of the delegates.
        operators: how often each operator occurs, in the order of their first occurrence.
        reasons: why an operator stayed outside, by its name; empty for a partition.
    """

    partition: int
    operators: Mapping[str, int]
    reasons: Mapping[str, str] = dataclasses.field(default_factory=dict, metadata=OMIT_DEFAULT)

    @property
    def count(self) -> int:
        """Number of operators."""
        return sum(self.operators.values())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Details:
    """What `linnet explain` shows besides: steps, errors of layers, versions.

    Attributes:
        version: of this object.
        steps: steps of each method, in the order in which they run; None: not recorded.
        layer_errors: by the name of the layer; layers that were not measured are missing.
        layer_texts: number of texts behind the errors of layers.
        versions: of the packages that made the file.
    """

    version: int = 1
    steps: Mapping[str, tuple[ProgramStep, ...]] | None = None
    layer_errors: Mapping[str, LayerError] = dataclasses.field(default_factory=dict)
    layer_texts: int = 0
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class LayerRun:
    """Consecutive operators of one layer in a delegate, in the order of the graph.

    Attributes:
        layer: path of the layer in the device graph.
        operators: names in ATen.
    """

    layer: str
    operators: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Instruction:
    """Debug map of one instruction of a method: an operator with its layer, or the contents of a delegate call.

    Attributes:
        operator: name; None for a delegate call.
        layer: path of the operator's layer, empty if it has none; None for a delegate call.
        partition: contents of a delegate call; None for an operator.
    """

    operator: str | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    layer: str | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    partition: tuple[LayerRun, ...] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was measured when a file was made.

    Attributes:
        schema: major.minor of this document.
        status, reason: proven or unproven, and why it is unproven.
        budget: limits of the proof by name.
        proof: figures of ``forward`` against the original by name, and the number of ``texts``.
        proof_fused: the figures of ``forward_fused``; empty if the file has none, or an older version made it.
        worst: the texts that differ most, worst first; None: not recorded.
        golden: recorded answers that every machine must repeat.
        tolerance: how far it may be from them.
        report: of the export.
        details: of the program and its layers.
        places: debug map: the layer of every instruction, by method.
        damaged: paths of the values that did not fit when this was read; not part of the document.
    """

    schema: str = EVIDENCE_SCHEMA
    status: str = "unproven"
    reason: str = ""
    budget: Mapping[str, float] = dataclasses.field(default_factory=dict)
    proof: Mapping[str, float] = dataclasses.field(default_factory=dict)
    proof_fused: Mapping[str, float] = dataclasses.field(default_factory=dict)
    worst: tuple[WorstText, ...] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    golden: tuple[GoldenCase, ...] = ()
    tolerance: Tolerance = Tolerance()
    report: Report = dataclasses.field(default=Report(), metadata=OMIT_DEFAULT)
    details: Details = dataclasses.field(default=Details(), metadata=OMIT_DEFAULT)
    places: Mapping[str, tuple[Instruction, ...]] = dataclasses.field(default_factory=dict, metadata=OMIT_DEFAULT)
    damaged: tuple[str, ...] = dataclasses.field(default=(), metadata=NOT_IN_JSON)

    @classmethod
    def from_json(cls, data: object) -> Evidence:
        """Read the parsed JSON of a trailer.

        Raises:
            TrailerDamagedError: it is not a JSON object.
            SchemaTooNewError: it has another major version.
        """
        if not isinstance(data, Mapping):
            raise TrailerDamagedError(f"expected a JSON object as evidence, got {type(data).__name__}")
        schema = data.get("schema", EVIDENCE_SCHEMA)
        if isinstance(schema, str) and schema.partition(".")[0] != str(EVIDENCE_MAJOR):
            raise SchemaTooNewError(
                f"expected evidence of schema {EVIDENCE_MAJOR}.x, got {schema!r}; use the linnet that made the file"
            )
        evidence, damaged = read_object(cls, data)
        return dataclasses.replace(evidence, damaged=damaged)

    def to_json(self) -> dict[str, Any]:
        """Return the document as what JSON can hold."""
        document: dict[str, Any] = write_object(self)
        return document

    def require(self, *names: str) -> None:
        """Check that top-level fields were read whole.

        Raises:
            TrailerDamagedError: a value in one of them did not fit.
        """
        unfit = [path for path in self.damaged if re.split(r"[.\[]", path)[0] in names]
        if unfit:
            shown = ", ".join(unfit[:_SHOWN_PATHS])
            raise TrailerDamagedError(f"the evidence has a wrong form at {shown}; export the file again")

    @property
    def figures(self) -> Mapping[str, float]:
        """Figures of the proof of ``forward`` by name; empty if the file is unproven."""
        return {name: value for name, value in self.proof.items() if name != "texts"}

    @property
    def texts(self) -> int:
        """Number of texts of the proof."""
        return int(self.proof.get("texts", 0))

    @property
    def has_forward_fused(self) -> bool:
        """True if the file has ``forward_fused``, the method with linnet's own kernels."""
        return bool(self.proof_fused) or "forward_fused" in self.places
