"""Settings of a new model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet_train.fields import at_least, setting, value_problems

__all__ = ["MODEL_TYPES", "NewModelConfig"]

MODEL_TYPES: tuple[str, ...] = ("mobilebert", "bert", "electra", "distilbert")
"""Architectures, by the `model_type` of their configurations, whose checkpoints have a WordPiece vocabulary."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewModelConfig:
    """What to make.

    Attributes:
        model_type: one of :data:`MODEL_TYPES`.
        texts: corpus of the vocabulary: .txt, or .jsonl, .json, .csv, .tsv with a column of texts.
        output: directory of the checkpoint.
        text_column: None: found by its usual name.
        vocab_size: tokens at most.
        lowercase: as :func:`train_wordpiece`.
        overrides: fields of the configuration that differ from transformers' defaults.
        seed: of the weights.
        force: replace what is there.
    """

    model_type: str = setting(
        f"architecture of the model: {', '.join(MODEL_TYPES[:-1])} or {MODEL_TYPES[-1]}", metavar="TYPE"
    )
    texts: Path = setting("texts to learn the vocabulary from: .txt, .jsonl, .json, .csv or .tsv", metavar="FILE")
    output: Path = setting("directory to write the checkpoint to", "-o", "--output", metavar="DIR")
    text_column: str | None = setting("name or number of the column with the text", metavar="NAME", default=None)
    vocab_size: int = setting(
        "largest number of tokens in the vocabulary (default {default})",
        metavar="N",
        bounds=at_least(100),
        default=8000,
    )
    lowercase: bool = setting("keep upper case and accents", "--cased", when_given=False, default=True)
    overrides: Mapping[str, Any] = setting(
        "fields of the configuration to change, as in transformers' run_mlm.py", "--config-overrides",
        metavar="NAME=VALUE,...", default_factory=dict,
    )  # fmt: skip
    seed: int = setting("seed of the random weights (default {default})", metavar="N", default=0)
    force: bool = setting("replace a checkpoint that is in the directory", default=False)

    def __post_init__(self) -> None:
        problems = []
        if self.model_type not in MODEL_TYPES:
            problems.append(f"model_type is {self.model_type!r}, known are {', '.join(MODEL_TYPES)}")
        problems += [*value_problems(self), *self._occupied()]
        if problems:
            raise InvalidArgumentError("; ".join(problems))

    def _occupied(self) -> list[str]:
        if not self.output.exists() or (self.output.is_dir() and not any(self.output.iterdir())):
            return []
        if not (self.output / "config.json").is_file():
            return [f"{self.output} exists and is no checkpoint (no config.json); -o chooses another directory"]
        return [] if self.force else [f"{self.output} exists; --force replaces it, -o chooses another directory"]
