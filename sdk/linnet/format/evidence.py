"""Evidence of a linnet file as dataclasses: proof, golden cases, report of the export and debug map.

The evidence is the JSON object in the trailer. The dataclasses below *are* its schema: the exporter writes them with
:meth:`Evidence.to_json`, every reader uses :meth:`Evidence.from_json`, and :mod:`linnet_bench.record.evidence_schema`
generates the JSON Schema from them (``docs/reference/evidence.schema.json``). A reader accepts its own major version
and ignores fields of a newer minor version. A field that a file does not have, because an older version wrote it or
because it is damaged, gets its default; :attr:`Evidence.damaged` lists the paths of values of a wrong type.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from linnet.errors import SchemaTooNewError, TrailerDamagedError
from linnet.format.bounded_json import parse_json
from linnet.format.json_objects import NOT_IN_JSON, OMIT_DEFAULT, read_object, write_object

__all__ = [
    "EVIDENCE_MAJOR",
    "EVIDENCE_MINOR",
    "EVIDENCE_SCHEMA",
    "CurvePoint",
    "Details",
    "EntityProof",
    "EntityScore",
    "Evidence",
    "FeatureSketch",
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
    "parse_evidence",
]

EVIDENCE_MAJOR = 1
EVIDENCE_MINOR = 0
EVIDENCE_SCHEMA = f"{EVIDENCE_MAJOR}.{EVIDENCE_MINOR}"

_SHOWN_PATHS = 3


def parse_evidence(text: str | bytes, name: str = "the file") -> dict[str, Any]:
    """Parse the evidence of a trailer, including fields that this version does not know.

    Args:
        text: the evidence; bytes are UTF-8.
        name: name of the file for error messages.

    Raises:
        TrailerDamagedError: it is not a JSON object within the limits of :func:`linnet.format.bounded_json.parse_json`.
    """
    try:
        evidence = parse_json(text)
    except ValueError as error:
        raise TrailerDamagedError(
            f"{name}: the evidence is not JSON that can be used: {error}; export it again"
        ) from error
    if not isinstance(evidence, dict):
        raise TrailerDamagedError(f"{name}: the evidence is a {type(evidence).__name__}, expected a JSON object")
    return evidence


@dataclasses.dataclass(frozen=True)
class GoldenOutput:
    """One recorded output of a golden case, without the batch axis.

    Attributes:
        shape: shape of the output; for fill-mask it has only the rows of the mask tokens.
        values: the first 64 values, row-major.
        argmax, max: position and value of the maximum of each row of ``logits``, ``start_logits`` and
            ``end_logits``; None for other outputs.
    """

    shape: tuple[int, ...]
    values: tuple[float, ...]
    argmax: tuple[int, ...] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    max: tuple[float, ...] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)

    def __post_init__(self) -> None:
        if len(self.values) > math.prod(self.shape):
            raise ValueError(f"{len(self.values)} values of an output of shape {self.shape}")
        if (self.argmax is None) != (self.max is None):
            raise ValueError("expected argmax and max together")
        if self.argmax is None or self.max is None:
            return
        rows, width = math.prod(self.shape[:-1]), self.shape[-1] if self.shape else 0
        if not rows == len(self.argmax) == len(self.max) or any(place >= width for place in self.argmax):
            raise ValueError(f"a maximum outside of an output of shape {self.shape}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoldenCase:
    """One text with the tokens and outputs recorded where the file was proven; see :mod:`linnet.format.golden`.

    Attributes:
        text: the text as it is tokenized, including a prompt.
        pair: the second text; None if there is none.
        ids, type_ids: token ids and token type ids; question-answering truncates with ``only_second``.
        prompt_tokens: number of first tokens, those of the prompt, that are not pooled.
        output: outputs of ``forward`` by name.
        output_fused: outputs of ``forward_fused`` by name; None if the file does not have the method.
        output_seven_bits: the same with activations rounded to 7 bits; None if the proof does not hold with them.
    """

    text: str
    pair: str | None = None
    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    prompt_tokens: int = dataclasses.field(default=0, metadata=OMIT_DEFAULT)
    output: Mapping[str, GoldenOutput]
    output_fused: Mapping[str, GoldenOutput] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    output_seven_bits: Mapping[str, GoldenOutput] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)

    def __post_init__(self) -> None:
        if not 0 < len(self.ids) == len(self.type_ids):
            raise ValueError(f"{len(self.ids)} ids and {len(self.type_ids)} type_ids")


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """Limit of the difference between a golden case and its replay.

    Attributes:
        absolute: largest difference, relative to the largest value of the output if that is above 1; None: the
            default.
    """

    absolute: float | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)

    def __post_init__(self) -> None:
        if self.absolute is not None and not 0 <= self.absolute <= 1:
            raise ValueError(f"a tolerance of {self.absolute}, expected 0 to 1")


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorstText:
    """One of the texts for which the program differs most from the original.

    Attributes:
        text, pair: the input.
        difference: difference in the figure of the task: 1 - cosine, or the share of different answers.
        error: largest error of an output, relative to its largest value if that is above 1; None: not recorded.
    """

    text: str
    pair: str | None = None
    difference: float
    error: float | None = None


@dataclasses.dataclass(frozen=True)
class EntityScore:
    """Recall and precision of whole entities: right are those with the same words and the same type.

    Attributes:
        recall: share of the labelled entities that were found, 0 to 1; 0 if there are none.
        precision: share of the found entities that are labelled, 0 to 1; 0 if there are none.
        coverage: share of the words of labelled entities that any found entity covers, of whatever type: what is
            masked; 0 to 1.
        expected: number of labelled entities.
        found: number of found entities.
    """

    recall: float
    precision: float
    coverage: float
    expected: int
    found: int

    def __post_init__(self) -> None:
        shares = (self.recall, self.precision, self.coverage)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"recall, precision and coverage of {shares}, expected 0 to 1")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EntityProof:
    """Entities that the written file found in labelled rows, and what was demanded of it.

    Attributes:
        rows: number of labelled rows.
        method: the method with the lowest recall, which is the one that was recorded: `forward`, `forward_fused`, or
            `forward_fused with 7-bit activations`.
        all: score of all entities.
        types: score by type.
        min_recall, min_precision, min_coverage: lower limits by type; `all` is that of all entities.
    """

    rows: int
    method: str
    all: EntityScore
    types: Mapping[str, EntityScore] = dataclasses.field(default_factory=dict)
    min_recall: Mapping[str, float] = dataclasses.field(default_factory=dict)
    min_precision: Mapping[str, float] = dataclasses.field(default_factory=dict)
    min_coverage: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class LayerPrecision:
    """The precision of one layer.

    Attributes:
        name: path of the layer in the device graph, as ``--keep`` takes it.
        kind: linear or embedding.
        precision: name of the precision.
        shape: output and input features of a linear layer, or rows and width of an embedding table.
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
        given: error for its true input, which is that of the float32 graph.
        running: error for its input in the quantized model.
    """

    given: float
    running: float


@dataclasses.dataclass(frozen=True)
class LayerSensitivity:
    """Effect of quantizing one layer alone on the answers.

    Attributes:
        name: path of the layer in the device graph.
        precision: precision that the recipe chose.
        error: error of all outputs as in :class:`CurvePoint`, with all other layers in float32.
        stored_bytes: bytes of the layer in that precision.
        higher: the next higher precision.
        higher_bytes: bytes of the layer in the higher precision.
    """

    name: str
    precision: str
    error: float
    stored_bytes: int
    higher: str
    higher_bytes: int


@dataclasses.dataclass(frozen=True)
class CurvePoint:
    """Size and error of one mixture of precisions.

    Attributes:
        raised: number of steps; each step raises the next layer in order to its next higher precision.
        stored_bytes: bytes of all linear layers and embedding tables.
        error: norm of the difference of all outputs, divided by the norm of the original's outputs.
        figures: figures of the proof by name.
        within: True if the figures are within the budget.
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
        layers: sensitivity of each layer, in the order in which the steps raise them.
        curve: the measured mixtures, smallest first.
        raised: number of steps of the chosen mixture.
        within: True if the chosen mixture is within the budget on the texts of the proof, measured before lowering.
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
        recipe: name of the quantization recipe.
        file_bytes: size of the program without its trailer; bytes.
        checkpoint_bytes: size of the checkpoint's weights; bytes.
        parts: bytes by part: embedding, linears, other (everything else in the file).
        partitions: number of delegate calls (XNNPACK, and the linnet delegate in ``forward_fused``), by method.
        operators_outside: number of occurrences of each operator outside of the delegates, by method.
        planned_bytes: bytes of memory planned for activations at the maximum length, by method.
        max_length: maximum length in tokens.
        max_batch: largest batch of ``forward_batch``, 0 if there is no such method.
        quantization: description of what the recipe did.
        kept: names of the layers that stayed in float32.
        layers: every linear layer and embedding table, in the order of the graph; None: not recorded.
        seconds: wall-clock seconds by stage.
        notes: further remarks for the user.
        warnings: those of the notes that may be a mistake of the export.
        mixed_precision: result of automatic mixed precision; None if it was not used.
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
    warnings: tuple[str, ...] = dataclasses.field(default=(), metadata=OMIT_DEFAULT)
    mixed_precision: MixedPrecision | None = None


@dataclasses.dataclass(frozen=True)
class ProgramStep:
    """One delegate call, or the operators between two of them.

    Attributes:
        partition: number of the delegate call, counted from 1; 0 outside of the delegates.
        operators: number of occurrences of each operator, in the order of their first occurrence.
        reasons: why an operator is outside of the delegates, by its name; empty for a partition.
        backend: ExecuTorch's name of the delegate; empty outside, and if it was not recorded.
    """

    partition: int
    operators: Mapping[str, int]
    reasons: Mapping[str, str] = dataclasses.field(default_factory=dict, metadata=OMIT_DEFAULT)
    backend: str = dataclasses.field(default="", metadata=OMIT_DEFAULT)

    @property
    def count(self) -> int:
        """Number of operators."""
        return sum(self.operators.values())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Details:
    """Details for `linnet explain`: steps of the program, errors of layers, versions.

    Attributes:
        version: version of this object.
        steps: steps of each method, in the order in which they run; None: not recorded.
        layer_errors: errors by the name of the layer; layers that were not measured are missing.
        layer_texts: number of texts on which the errors of layers were measured.
        versions: versions of the packages that made the file.
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
        operators: ATen names of the operators.
    """

    layer: str
    operators: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Instruction:
    """Debug map of one instruction of a method: an operator with its layer, or the contents of a delegate call.

    Attributes:
        operator: name of the operator; None for a delegate call.
        layer: path of the operator's layer, empty if it belongs to none; None for a delegate call.
        partition: contents of a delegate call; None for an operator.
    """

    operator: str | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    layer: str | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    partition: tuple[LayerRun, ...] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureSketch:
    """Histogram of one feature of the reference texts, to which :mod:`linnet_monitor.drift` compares what comes.

    Attributes:
        edges: upper edges of the bins, each edge in the bin below it; the last bin has none.
        counts: number of texts in each bin.
        direction: of an axis of embeddings, the vector whose product with the unit vector of an embedding is the value.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    direction: tuple[float, ...] = dataclasses.field(default=(), metadata=OMIT_DEFAULT)

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.edges) + 1 or min(self.counts) < 0:
            raise ValueError(f"expected {len(self.edges) + 1} counts of at least 0, got {len(self.counts)}")
        if any(left >= right for left, right in itertools.pairwise(self.edges)):
            raise ValueError("expected edges in rising order")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """Evidence of a file: proof, golden cases and report, as measured when the file was made.

    Attributes:
        schema: major.minor version of this document.
        status, reason: proven or unproven, and why the file is unproven.
        budget: limits of the proof by name.
        proof: figures of ``forward`` against the original by name, and the number of ``texts``; of a decoder those of
            ``forward_fused``, which linnet runs on every processor.
        proof_fused: figures of ``forward_fused``; empty if the file does not have the method, or an older version
            made it.
        proof_seven_bits: figures of ``forward_fused`` with activations rounded to 7 bits; empty if not measured.
        activation_bits: fewest bits of rounded activations with which the proof holds, 7 or 8.
        worst: the texts that differ most, worst first; None: not recorded.
        entities: recall and precision of a tagger on labelled rows; None: not measured.
        golden: golden cases, which every machine must reproduce.
        tolerance: limit of the difference from a golden case.
        report: report of the export.
        details: details of the program and its layers.
        places: debug map: the layer of every instruction, by method.
        drift_reference: histograms of features of the reference texts by the name of the feature: ``length`` in tokens,
            share of ``unknown`` tokens, ``confidence``, ``labels`` by their index, embeddings along ``axis_0``
            ..; empty if not recorded.
        damaged: paths of the values of a wrong type found by :meth:`from_json`; not part of the document.
    """

    schema: str = EVIDENCE_SCHEMA
    status: str = "unproven"
    reason: str = ""
    budget: Mapping[str, float] = dataclasses.field(default_factory=dict)
    proof: Mapping[str, float] = dataclasses.field(default_factory=dict)
    proof_fused: Mapping[str, float] = dataclasses.field(default_factory=dict)
    proof_seven_bits: Mapping[str, float] = dataclasses.field(default_factory=dict, metadata=OMIT_DEFAULT)
    activation_bits: int = dataclasses.field(default=8, metadata=OMIT_DEFAULT)
    worst: tuple[WorstText, ...] | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    entities: EntityProof | None = dataclasses.field(default=None, metadata=OMIT_DEFAULT)
    golden: tuple[GoldenCase, ...] = ()
    tolerance: Tolerance = Tolerance()
    report: Report = dataclasses.field(default=Report(), metadata=OMIT_DEFAULT)
    details: Details = dataclasses.field(default=Details(), metadata=OMIT_DEFAULT)
    places: Mapping[str, tuple[Instruction, ...]] = dataclasses.field(default_factory=dict, metadata=OMIT_DEFAULT)
    drift_reference: Mapping[str, FeatureSketch] = dataclasses.field(default_factory=dict, metadata=OMIT_DEFAULT)
    damaged: tuple[str, ...] = dataclasses.field(default=(), metadata=NOT_IN_JSON)

    def __post_init__(self) -> None:
        if self.activation_bits not in (7, 8):
            raise ValueError(f"activation_bits of {self.activation_bits}, expected 7 or 8")

    @classmethod
    def from_json(cls, data: object) -> Evidence:
        """Read the parsed JSON of a trailer.

        Raises:
            TrailerDamagedError: ``data`` is not a JSON object.
            SchemaTooNewError: the evidence has another major schema version.
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
        """Return the document as an object that :func:`json.dumps` can write."""
        document: dict[str, Any] = write_object(self)
        return document

    def require(self, *names: str) -> None:
        """Check that these top-level fields have no damaged values.

        Raises:
            TrailerDamagedError: a value in one of them has a wrong type.
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
        """True if the file has ``forward_fused``, the method with custom kernels."""
        return bool(self.proof_fused) or "forward_fused" in self.places
