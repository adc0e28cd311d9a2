"""Settings of one export as frozen dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import POOLINGS
from linnet.suggestions import did_you_mean

__all__ = [
    "ALGORITHMS",
    "ALL_TYPES",
    "BUDGET_KEYS",
    "DEFAULT_CONTEXT",
    "MAX_POSITIONS",
    "OBSERVER_NAMES",
    "RECIPES",
    "UPPER_LIMITS",
    "ExportConfig",
    "QuantizationConfig",
    "read_shares",
    "unknown_recipe",
]

MAX_POSITIONS = 512
"""Longest default bound in tokens: memory is planned at the bound, so a larger one is asked for."""

DEFAULT_CONTEXT = 2048
"""Most positions of a decoder's program, unless the model has fewer or another number is asked for."""

BUDGET_KEYS: tuple[str, ...] = (
    "max_error", "cosine_mean", "cosine_worst", "agreement", "perplexity_ratio", "kl_mean",
)  # fmt: skip
"""Keys of `budget`; :mod:`linnet_export.proof.budget` has the defaults by recipe and task."""

UPPER_LIMITS = frozenset({"max_error", "perplexity_ratio", "kl_mean"})
"""Keys of `budget` that a figure must not be above; it must not be below the others."""

ALL_TYPES = "all"
"""Key of `min_recall` and `min_precision` for the entities of all types together."""

RECIPES: tuple[str, ...] = ("8da4w", "fp16", "fp32", "int8", "int8-static")
"""Names of the recipes, known without importing them; :mod:`linnet_export.quantize.recipes` has one file for each."""

_OTHER_RECIPE_NAMES = {
    "int4": "8da4w", "4bit": "8da4w", "w4a8": "8da4w", "q4": "8da4w", "int8-dynamic": "int8", "w8a8": "int8",
    "8bit": "int8", "float16": "fp16", "half": "fp16", "bf16": "fp16", "bfloat16": "fp16", "float32": "fp32",
    "float": "fp32", "none": "fp32", "static": "int8-static",
}  # fmt: skip
"""What others call recipes, or the nearest that there is."""

ALGORITHMS: tuple[str, ...] = ("gptq", "rtn")
"""Rounding of int4 weights: GPTQ on calibration texts, or each to the nearest."""

OBSERVER_NAMES: tuple[str, ...] = ("minmax", "percentile")
"""The range of activations: all that was seen, or all but one value in 10 000 at either end."""


def unknown_recipe(name: str) -> str:
    """Return the error for a name that no recipe has, with the nearest one."""
    hint = did_you_mean(name.lower(), {recipe: recipe for recipe in RECIPES} | _OTHER_RECIPE_NAMES)
    return f"recipe is {name!r}, supported are {', '.join(RECIPES)}{hint}"


def read_shares(text: str) -> dict[str, float]:
    """Parse `0.9`, `PER=0.95` or several behind commas; a share alone is that of :data:`ALL_TYPES`.

    Raises:
        InvalidArgumentError: it has another form.
    """
    shares: dict[str, float] = {}
    for item in text.split(","):
        name, equals, value = item.strip().rpartition("=")
        try:
            shares[name if equals else ALL_TYPES] = float(value)
        except ValueError as error:
            raise InvalidArgumentError(f"expected SHARE or TYPE=SHARE, behind commas, got {text!r}") from error
    return shares


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuantizationConfig:
    """Deviations from the defaults of a recipe; None keeps the default.

    Attributes:
        group_size: neighbouring inputs of an int4 linear layer that share a scale; XNNPACK takes
            multiples of 32. Default 32.
        algorithm: one of :data:`ALGORITHMS`, for int4 linear layers. Default gptq.
        observer: how int8-static finds the range of activations, one of :data:`OBSERVER_NAMES`. Default minmax.
        embedding: precision of the word embedding: fp32, fp16, 8w or 4w.
        embedding_group_size: neighbouring values of a row of a 4w embedding that share a scale. Default 64, the
            whole row if that is shorter.
        keep: pairs of a pattern and a precision; the layers whose names match get that precision. A
            pattern is a glob, or a regular expression behind `re:`.
    """

    group_size: int | None = None
    algorithm: str | None = None
    observer: str | None = None
    embedding: str | None = None
    embedding_group_size: int | None = None
    keep: tuple[tuple[str, str], ...] = ()

    @property
    def linear_group_size(self) -> int:
        """Group size of int4 linear layers."""
        return self.group_size or 32

    @property
    def linear_algorithm(self) -> str:
        """Rounding of int4 weights."""
        return self.algorithm or "gptq"

    @property
    def range_observer(self) -> str:
        """Observer of the ranges of activations for int8-static."""
        return self.observer or "minmax"

    @property
    def row_group_size(self) -> int:
        """Group size of 4w embedding tables, of those that are as wide."""
        return self.embedding_group_size or 64

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence; empty if there is none."""
        problems: list[str] = []
        if self.group_size is not None and (self.group_size < 32 or self.group_size % 32):
            problems.append(f"expected group_size to be a multiple of 32, as XNNPACK takes them, got {self.group_size}")
        if self.embedding_group_size is not None and (self.embedding_group_size < 2 or self.embedding_group_size % 2):
            problems.append(
                f"expected embedding_group_size to be an even number from 2 on, got {self.embedding_group_size}"
            )
        if self.algorithm is not None and self.algorithm not in ALGORITHMS:
            problems.append(f"algorithm is {self.algorithm!r}, known are {', '.join(ALGORITHMS)}")
        if self.observer is not None and self.observer not in OBSERVER_NAMES:
            problems.append(f"observer is {self.observer!r}, known are {', '.join(OBSERVER_NAMES)}")
        problems += [
            f"expected keep to have NAME=PRECISION, got {pattern!r}={precision!r}"
            for pattern, precision in self.keep
            if not (pattern and precision)
        ]
        return problems


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Settings of one export.

    Attributes:
        model: local directory or Hugging Face hub id.
        output: file to write; None: the model's name with `.pte` in the current directory.
        task: Hugging Face task name; None: from the checkpoint.
        recipe: quantization recipe by name.
        quantization: what differs from the recipe's own choices.
        calibration: file with the texts of the calibration, in a form that `proof` takes too; None: the
            built-in set, if the recipe can do with it.
        auto_mixed_precision: keep the most sensitive layers in a higher precision, as few as the budget needs.
        max_length: bound in tokens, special tokens included; None: the sentence-transformers `max_seq_length` if
            there is one, else the tokenizer's `model_max_length`, at most the model's positions and, for what
            sentence-transformers did not save, 512.
        max_batch: largest padded batch of the method `forward_batch`; 0 leaves it out.
        revision: branch, tag or commit of a hub id.
        labels: class names that replace those of the config.
        pooling: how an embedding is made of tokens: names of :data:`linnet.format.manifest.POOLINGS` joined by +, or
            none for one vector a token; None: what the sentence-transformers files say, mean without them.
        proof: JSON-lines or text file with the texts of the proof; None: the built-in set.
        prove: False leaves the file unproven, and the file says so.
        reference: file with texts like those to come, in a form that `proof` takes too: their features go into the file
            as the reference for drift; None: those of `proof`, and without these none.
        budget: changes to the proof's limits, keys of :data:`BUDGET_KEYS`.
        proof_rows: labelled rows of tokens and tags, in a form that `linnet eval` takes: the written tagger is run on
            them, and the evidence has its recall and precision by type; None: it is not.
        min_recall: lower limits of the recall of whole entities by type, or of :data:`ALL_TYPES`.
        min_precision: the same of their precision.
        min_coverage: the same of the share of their words that any found entity covers, which masking hides.
        show_errors: entities of the rows to report: up to so many that were missed, are other, and were invented.
        force: overwrite `output`.
    """

    model: str
    output: Path | None = None
    task: str | None = None
    recipe: str = "int8"
    quantization: QuantizationConfig = dataclasses.field(default_factory=QuantizationConfig)
    calibration: Path | None = None
    auto_mixed_precision: bool = False
    max_length: int | None = None
    max_batch: int = 0
    revision: str | None = None
    labels: tuple[str, ...] | None = None
    pooling: str | None = None
    proof: Path | None = None
    prove: bool = True
    reference: Path | None = None
    budget: Mapping[str, float] = dataclasses.field(default_factory=dict)
    proof_rows: Path | None = None
    min_recall: Mapping[str, float] = dataclasses.field(default_factory=dict)
    min_precision: Mapping[str, float] = dataclasses.field(default_factory=dict)
    min_coverage: Mapping[str, float] = dataclasses.field(default_factory=dict)
    show_errors: int = 0
    force: bool = False

    def __post_init__(self) -> None:
        problems = self.problems()
        if problems:
            raise InvalidArgumentError("; ".join(problems))

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence; empty if there is none."""
        problems: list[str] = []
        if not self.model:
            problems.append("expected model to be a directory or a hub id, got an empty string")
        if self.recipe not in RECIPES:
            problems.append(unknown_recipe(self.recipe))
        if self.max_length is not None and self.max_length < 3:
            problems.append(
                f"expected max_length to be at least 3 (two special tokens and one of the text), got {self.max_length}"
            )
        if not 0 <= self.max_batch <= 1024:
            problems.append(f"expected max_batch to be 0 (none) to 1024, got {self.max_batch}")
        if self.labels is not None and not self.labels:
            problems.append("labels is empty; leave it out to keep those of the checkpoint")
        if self.pooling not in (None, "none") and not set(self.pooling.split("+")) <= set(POOLINGS):
            problems.append(f"pooling is {self.pooling!r}, expected none, or of {', '.join(POOLINGS)}, joined by +")
        problems += self.quantization.problems()
        unknown = sorted(set(self.budget) - set(BUDGET_KEYS))
        if unknown:
            problems.append(f"budget has {', '.join(unknown)}, known are {', '.join(BUDGET_KEYS)}")
        if not self.prove and (self.proof is not None or self.budget):
            problems.append("proof or budget is given although the proof is switched off")
        problems += self._labelled_problems()
        if not self.prove and self.auto_mixed_precision:
            problems.append("auto_mixed_precision is set although the proof, whose texts it needs, is switched off")
        return problems

    def _labelled_problems(self) -> list[str]:
        limits = [*self.min_recall.items(), *self.min_precision.items(), *self.min_coverage.items()]
        problems = [
            f"expected the recall, precision or coverage of {name} to be 0 to 1, got {limit}"
            for name, limit in limits
            if not 0 <= limit <= 1
        ]
        if self.show_errors < 0:
            problems.append(f"expected show_errors to be at least 0, got {self.show_errors}")
        if self.proof_rows is None and (limits or self.show_errors):
            problems.append(
                "min_recall, min_precision, min_coverage or show_errors is given without labelled rows: give proof_rows"
            )
        if not self.prove and self.proof_rows is not None:
            problems.append("proof_rows is given although the proof is switched off")
        return problems
