"""Recall and precision of a tagger, from the evidence of its file, as a table or as fields."""

from __future__ import annotations

from collections.abc import Iterator

from linnet.cli.console import Console, counted
from linnet.format.evidence import EntityProof, EntityScore

__all__ = ["entity_fields", "print_entities"]


def print_entities(console: Console, proof: EntityProof) -> None:
    """Print the scores of all entities and of each type, with their limits."""
    rows = [
        (
            name,
            f"{score.recall:.4f}",
            _limit(proof.min_recall.get(name)),
            f"{score.precision:.4f}",
            _limit(proof.min_precision.get(name)),
            f"{score.coverage:.4f}",
            _limit(proof.min_coverage.get(name)),
            str(score.expected),
            str(score.found),
        )
        for name, score in _scores(proof)
    ]
    console.table(
        ("entities", "recall", "at least", "precision", "at least", "words covered", "at least", "labelled", "found"),
        rows,
        right=tuple(range(1, 9)),
    )


def entity_fields(proof: EntityProof) -> list[tuple[str, str]]:
    """Return the same as names and values."""
    fields = [("entities", f"{counted(proof.rows, 'labelled row')}, {proof.method}")]
    for name, score in _scores(proof):
        limits = (
            (score.recall, "recall", proof.min_recall),
            (score.precision, "precision", proof.min_precision),
            (score.coverage, "words covered", proof.min_coverage),
        )
        shares = (
            f"{what} {share:.4f}" + (f" (at least {least[name]:g})" if name in least else "")
            for share, what, least in limits
        )
        fields.append((f"entities.{name}", f"{', '.join(shares)}, {score.expected} labelled, {score.found} found"))
    return fields


def _scores(proof: EntityProof) -> Iterator[tuple[str, EntityScore]]:
    yield "all", proof.all
    yield from proof.types.items()


def _limit(share: float | None) -> str:
    return "-" if share is None else f"{share:g}"
