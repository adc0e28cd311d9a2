"""Report of one training: figures, sizes, timings, notes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["FEWEST_FOR_SHARES", "RIGHT_SCORE", "Confusion", "TrainReport", "count_confusions"]

RIGHT_SCORE = "mean_right_score"
"""Figure beside a task's metrics: mean score of the right class, which says what an accuracy hides."""

FEWEST_FOR_SHARES = 100
"""Held-out rows of which a share such as the accuracy chooses the epoch; of fewer the loss does."""

_MOST_CONFUSIONS = 20


@dataclasses.dataclass(frozen=True)
class Confusion:
    """Two classes of which one was taken for the other.

    Attributes:
        expected: the right class.
        found: the one that had the highest score.
        count: held-out rows (words, for tags) of which this is so.
        rows: held-out rows of the right class.
    """

    expected: str
    found: str
    count: int
    rows: int


def count_confusions(expected: Sequence[str], found: Sequence[str]) -> tuple[Confusion, ...]:
    """Count which classes were taken for which; return the 20 most frequent pairs.

    Args:
        expected: right class of each row.
        found: the class that it was given.
    """
    rows = Counter(expected)
    pairs = Counter((right, wrong) for right, wrong in zip(expected, found, strict=True) if right != wrong)
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(right, wrong, count, rows[right]) for (right, wrong), count in ordered[:_MOST_CONFUSIONS])


@dataclasses.dataclass(frozen=True)
class TrainReport:
    """Report of one training.

    Attributes:
        output: directory of the trained checkpoint.
        task: Hugging Face task name.
        labels: number of classes.
        rows: rows that were trained on, made ones included.
        held_out: rows that were not.
        parameters: weights of the trained model.
        trained_parameters: of them, or of adapters beside them, those that were trained.
        epochs: passes that were made.
        best_epoch: the one whose weights were kept, counted from 1.
        shrunk: pruning before training, as sentences.
        start: figures on the held-out rows after that and before training.
        before_calibration: figures after training.
        figures: figures of the saved checkpoint.
        temperature: the logits were divided by it.
        out_of_scope_shift: was added to the out-of-scope logit.
        out_of_scope: the label of requests that belong to no class, None without one.
        seconds: wall-clock seconds by stage; of a resumed training only those since.
        notes: what is worth knowing about the rows and the figures.
        warnings: what went wrong and what to change.
        batch_size: rows of a step.
        learning_rate: highest.
        steps: of the optimizer.
        chosen_by: what chose the best epoch; empty where the last counts.
        confusions: classes that were taken for others, most often first.
        planned_epochs: passes that were to be made, of which early stopping may have left out the last ones; 0: of a
            report of an earlier version.
    """

    output: Path
    task: str
    labels: int
    rows: int
    held_out: int
    parameters: int
    trained_parameters: int
    epochs: int
    best_epoch: int
    shrunk: tuple[str, ...]
    start: Mapping[str, float]
    before_calibration: Mapping[str, float]
    figures: Mapping[str, float]
    temperature: float
    out_of_scope_shift: float
    out_of_scope: str | None
    seconds: Mapping[str, float]
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    batch_size: int = 0
    learning_rate: float = 0.0
    steps: int = 0
    chosen_by: str = ""
    confusions: tuple[Confusion, ...] = ()
    planned_epochs: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold: NaN becomes null."""
        fields = dataclasses.asdict(self) | {"output": str(self.output)}
        for name in ("start", "before_calibration", "figures"):
            fields[name] = {key: None if math.isnan(value) else value for key, value in fields[name].items()}
        return fields

    @classmethod
    def read(cls, path: Path, output: Path) -> TrainReport:
        """Read back what was written as JSON; ``output`` is where the directory is now."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        for name in ("start", "before_calibration", "figures"):
            fields[name] = {key: math.nan if value is None else value for key, value in fields[name].items()}
        tuples: dict[str, Any] = {name: tuple(fields.get(name, ())) for name in ("shrunk", "notes", "warnings")}
        tuples["confusions"] = tuple(Confusion(**confusion) for confusion in fields.get("confusions", ()))
        return cls(**{**fields, **tuples, "output": output})
