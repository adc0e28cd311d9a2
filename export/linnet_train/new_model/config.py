"""Settings of a new model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError

__all__ = ["MODEL_TYPES", "NewModelConfig"]

MODEL_TYPES: tuple[str, ...] = ("mobilebert", "bert", "electra", "distilbert")
"""Architectures, by the `model_type` of their configurations, whose checkpoints have a WordPiece vocabulary."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewModelConfig:
    """What to make.

    Attributes:
        model_type: one of :data:`MODEL_TYPES`.
        output: directory of the checkpoint.
        texts: corpus of the vocabulary: .txt, or .jsonl, .json, .csv, .tsv with a column of texts.
        text_column: None: found by its usual name.
        vocab_size: tokens at most.
        lowercase: as :func:`train_wordpiece`.
        overrides: fields of the configuration that differ from transformers' defaults.
        seed: of the weights.
        force: replace what is there.
    """

    model_type: str
    output: Path
    texts: Path
    text_column: str | None = None
    vocab_size: int = 8000
    lowercase: bool = True
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0
    force: bool = False

    def __post_init__(self) -> None:
        problems = []
        if self.model_type not in MODEL_TYPES:
            problems.append(f"model_type is {self.model_type!r}, known are {', '.join(MODEL_TYPES)}")
        if self.vocab_size < 100:
            problems.append(f"vocab_size is {self.vocab_size}, needed at least 100")
        problems += self._occupied()
        if problems:
            raise InvalidArgumentError("; ".join(problems))

    def _occupied(self) -> list[str]:
        if not self.output.exists() or (self.output.is_dir() and not any(self.output.iterdir())):
            return []
        if not (self.output / "config.json").is_file():
            return [f"{self.output} exists and is no checkpoint (no config.json); -o chooses another directory"]
        return [] if self.force else [f"{self.output} exists; --force replaces it, -o chooses another directory"]
