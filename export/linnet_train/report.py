"""Report of one training: figures, sizes, timings, notes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["TrainReport"]


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
        tuples = {name: tuple(fields[name]) for name in ("shrunk", "notes")}
        return cls(**{**fields, **tuples, "output": output})
