"""Recall and precision of the written tagger on labelled rows, and their budget."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet.format.evidence import EntityProof, EntityScore
from linnet.loading import load
from linnet_bench.accuracy.datasets import Columns, Table, read_table
from linnet_bench.accuracy.entity_errors import EntityError, choose_errors
from linnet_bench.accuracy.metrics import EntityCounts, entity_counts, find_entities, sum_counts
from linnet_bench.accuracy.rows import LabelledRows
from linnet_bench.tasks.token_classification import Tagged, tag_rows
from linnet_export.checkpoint import Checkpoint
from linnet_export.config import ALL_TYPES, ExportConfig
from linnet_export.errors import OverBudgetError, ProofTextsError
from linnet_export.proof.device import FORWARD, FUSED, SEVEN_BITS, Method

__all__ = ["LabelledProof", "prove_entities", "read_proof_rows"]

_TASK = "token-classification"
_COLUMNS = Columns("tokens", None, "tags")
_SHOWN_OVER_BUDGET = 10
_SETTINGS: Mapping[str, tuple[bool, int | None]] = {
    FORWARD.name: (False, None), FUSED.name: (True, 8), SEVEN_BITS.name: (True, 7),
}  # fmt: skip
"""Arguments `fused` and `activation_bits` of :func:`linnet.load` by the name of the method."""


@dataclasses.dataclass(frozen=True)
class LabelledProof:
    """The proof of a tagger on labelled rows.

    Attributes:
        proof: figures, for the evidence.
        errors: those that were asked for.
    """

    proof: EntityProof
    errors: tuple[EntityError, ...]


def read_proof_rows(config: ExportConfig, checkpoint: Checkpoint) -> Table | None:
    """Read the labelled rows; None if there are none.

    Raises:
        InvalidArgumentError: the task has no entities, or a limit names a type that the checkpoint does not have.
        ProofTextsError: the file cannot be read, has no entities, or a tag that the checkpoint does not have.
    """
    if config.proof_rows is None:
        return None
    if checkpoint.task.name != _TASK:
        raise InvalidArgumentError(f"proof_rows has entities, for {_TASK}; the task is {checkpoint.task.name}")
    types = {name for label in checkpoint.labels for name, _, _ in find_entities([label])}
    unknown = sorted({*config.min_recall, *config.min_precision, *config.min_coverage} - types - {ALL_TYPES})
    if unknown:
        raise InvalidArgumentError(
            f"min_recall, min_precision or min_coverage has {', '.join(unknown)}; this checkpoint has "
            f"{', '.join(sorted(types))}, and {ALL_TYPES} for all of them"
        )
    return _checked(config.proof_rows, checkpoint.labels)


def _checked(path: Path, labels: Sequence[str]) -> Table:
    try:
        table = read_table(path)
    except (OSError, InvalidArgumentError) as error:
        raise ProofTextsError(f"{path}: {error}" if isinstance(error, OSError) else str(error)) from error
    rows = [row.get(_COLUMNS.label) for row in table.rows]
    tags = {str(tag) for row in rows if isinstance(row, list) for tag in row}
    unknown = sorted(tag for tag in tags - set(labels) if not tag.isdecimal())
    if unknown or not tags:
        wrong = f"tags {', '.join(unknown[:5])}" if unknown else "no tags"
        raise ProofTextsError(f"{path}: {wrong}; expected rows of tokens and tags of {', '.join(labels)}")
    return table


def prove_entities(
    path: Path, table: Table, config: ExportConfig, methods: Sequence[Method], progress: Callable[[str], None]
) -> LabelledProof:
    """Run labelled rows through every method of the written file; keep the figures of the lowest recall.

    Args:
        path: the written file.
        table: rows with tokens and tags.
        config: limits, and how many errors are kept.
        methods: those that the proof allows.
        progress: called with a description of each step.

    Raises:
        OverBudgetError: recall or precision is below a limit; it has the table of errors.
        BadRowsError: rows have another form.
    """
    runs = []
    for method in methods:
        progress(f"labelled rows: {method.name}")
        runs.append((method, _tagged(path, table, method)))
    proofs = [(_proof(method, tagged, config), tagged) for method, tagged in runs]
    for proof, tagged in proofs:
        _check(proof, tagged)
    proof, tagged = min(proofs, key=lambda each: each[0].all.recall)
    return LabelledProof(proof, choose_errors(tagged, config.show_errors))


def _tagged(path: Path, table: Table, method: Method) -> Tagged:
    fused, bits = _SETTINGS[method.name]
    with load(path, self_test=False, fused=fused, activation_bits=bits) as model:
        return tag_rows(LabelledRows(model, table, _COLUMNS, lambda done, total: None, ()))


def _proof(method: Method, tagged: Tagged, config: ExportConfig) -> EntityProof:
    counts = entity_counts(tagged.expected, tagged.found)
    return EntityProof(
        rows=len(tagged.sentences),
        method=method.name,
        all=_score(sum_counts(counts.values())),
        types={name: _score(each) for name, each in counts.items()},
        min_recall=dict(config.min_recall),
        min_precision=dict(config.min_precision),
        min_coverage=dict(config.min_coverage),
    )


def _score(counts: EntityCounts) -> EntityScore:
    return EntityScore(counts.recall, counts.precision, counts.coverage, counts.expected, counts.found)


def _check(proof: EntityProof, tagged: Tagged) -> None:
    """Raise an OverBudgetError with every limit that does not hold; a type without a labelled entity holds none."""
    below = []
    budget = {"recall": proof.min_recall, "precision": proof.min_precision, "coverage": proof.min_coverage}
    for name, limits in budget.items():
        for kind, limit in limits.items():
            score = proof.all if kind == ALL_TYPES else proof.types.get(kind)
            if score is None or not score.expected:
                below.append(f"expected {name} of {kind} of at least {limit:.4f}, got no labelled entity of it")
            elif not getattr(score, name) >= limit:
                below.append(f"expected {name} of {kind} of at least {limit:.4f}, got {getattr(score, name):.4f}")
    if below:
        raise OverBudgetError(
            f"under the budget of entities, nothing was delivered: {proof.method}: {'; '.join(below)}; train longer or "
            "on more rows, choose another recipe, or change --min-recall, --min-precision and --min-coverage",
            errors=choose_errors(tagged, _SHOWN_OVER_BUDGET),
        )
