"""Settings of one export, as one frozen object. Unknown keys are errors of the type itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from linnet.errors import InvalidArgumentError

__all__ = ["BUDGET_KEYS", "MAX_POSITIONS", "ExportConfig"]

MAX_POSITIONS = 512
"""Longest default bound in tokens: memory is planned at the bound, so a larger one is asked for."""

BUDGET_KEYS: tuple[str, ...] = ("max_error", "cosine_mean", "cosine_worst", "agreement")
"""What `budget` may set; :mod:`linnet_export.proof` has the defaults by recipe and task."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What to export and how.

    Attributes:
        model: local directory or Hugging Face hub id.
        output: file to write; None: the model's name with `.pte` in the current directory.
        task: Hugging Face task name; None: from the checkpoint.
        recipe: quantization recipe by name.
        max_length: bound in tokens, special tokens included; None: the sentence-transformers
            `max_seq_length` if there is one, else the model's positions, at most 512.
        max_batch: largest padded batch of the method `forward_batch`; 0 leaves it out.
        revision: branch, tag or commit of a hub id.
        labels: class names that replace those of the config.
        proof: JSON-lines or text file with the texts of the proof; None: the built-in set.
        prove: False leaves the file unproven, and the file says so.
        budget: changes to the proof's limits, keys of :data:`BUDGET_KEYS`.
        force: overwrite `output`.
    """

    model: str
    output: Path | None = None
    task: str | None = None
    recipe: str = "int8"
    max_length: int | None = None
    max_batch: int = 0
    revision: str | None = None
    labels: tuple[str, ...] | None = None
    proof: Path | None = None
    prove: bool = True
    budget: Mapping[str, float] = dataclasses.field(default_factory=dict)
    force: bool = False

    def __post_init__(self) -> None:
        problems = self.problems()
        if problems:
            raise InvalidArgumentError("; ".join(problems))

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence; empty if there is none."""
        found: list[str] = []
        if not self.model:
            found.append("model is empty, needed a directory or a hub id")
        if self.max_length is not None and self.max_length < 3:
            found.append(f"max_length is {self.max_length}, needed at least 3: two special tokens and one of the text")
        if not 0 <= self.max_batch <= 1024:
            found.append(f"max_batch is {self.max_batch}, needed 0 (none) to 1024")
        if self.labels is not None and not self.labels:
            found.append("labels is empty; leave it out to keep those of the checkpoint")
        unknown = sorted(set(self.budget) - set(BUDGET_KEYS))
        if unknown:
            found.append(f"budget has {', '.join(unknown)}, known are {', '.join(BUDGET_KEYS)}")
        if not self.prove and (self.proof is not None or self.budget):
            found.append("proof or budget is given although the proof is switched off")
        return found
