"""Sentence embeddings, trained on scored pairs with the CoSENT loss.

The output is a sentence-transformers directory, which `linnet export` reads as feature-extraction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from linnet.cli.output import write_text
from linnet_bench.accuracy import metrics
from linnet_export.checkpoint.sentence_modules import SentenceModules, default_modules, read_sentence_modules
from linnet_export.checkpoint.source import resolve_source
from linnet_export.errors import CheckpointError
from linnet_train.config import TrainConfig
from linnet_train.data.batches import Collator, Rows
from linnet_train.data.rows import Example, Examples
from linnet_train.loading import Loaded, load_encoder
from linnet_train.tasks.base import Answers, Step, TrainingTask
from linnet_train.tasks.rows.sentence_similarity import DESCRIPTION

__all__ = ["TASK", "cosent_loss", "pool"]

_SCALE = 20.0  # of sentence-transformers' CoSENTLoss
_POOLINGS = ("cls", "max", "mean")


class SentenceSimilarity(TrainingTask):
    """The task."""

    description = DESCRIPTION

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`."""
        return load_encoder(name, config.optimizer.dropout)

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; a row has the token ids of both texts, its label is the score."""
        lower = _modules(config).lower_case
        sides = []
        for texts in ([row.text for row in rows], [row.pair or "" for row in rows]):
            used = [text.lower() for text in texts] if lower else texts
            sides.append(tokenizer(used, truncation=True, max_length=config.max_length)["input_ids"])
        inputs = [{"input_ids": left, "second_ids": right} for left, right in zip(*sides, strict=True)]
        return Rows(inputs, [row.label for row in rows])

    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """See :class:`TrainingTask`: CoSENT of the cosines."""
        pooling = _modules(config).pooling

        def run(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            labels, mask = inputs["labels"], inputs["attention_mask"]
            hidden = model(input_ids=inputs["input_ids"], attention_mask=mask).last_hidden_state
            left, right = pool(hidden.float(), mask, pooling).chunk(2)
            cosines = nn.functional.cosine_similarity(left, right, dim=-1)
            return cosent_loss(cosines, labels), {"cosines": cosines}

        return run

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """See :class:`TrainingTask`; the mean squared difference of the cosines."""
        return nn.functional.mse_loss(student.measured["cosines"], teacher.measured["cosines"])

    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """Return the correlations of cosines and scores."""
        scores = [float(prediction) for prediction in predictions]
        return {"spearman": metrics.spearman(scores, rows.labels), "pearson": metrics.pearson(scores, rows.labels)}

    def collator(self, pad_id: int) -> Callable[[Sequence[dict[str, Any]]], dict[str, Tensor]]:
        """See :class:`TrainingTask`; the first texts of a batch are followed by its second texts."""
        single = Collator(pad_id)

        def collate(rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
            sides = [{"input_ids": row[name], "labels": 0} for name in ("input_ids", "second_ids") for row in rows]
            # labels first: the trainer takes the batch's size from the first tensor
            return {"labels": torch.tensor([row["labels"] for row in rows]), **_without_labels(single(sides))}

        return collate

    def held_out_row(self, example: Example) -> dict[str, Any]:
        """See :class:`TrainingTask`."""
        return {"sentence1": example.text, "sentence2": example.pair, "score": example.label}

    def texts(self, example: Example, tokenizer: Any) -> list[dict[str, str]]:
        """See :class:`TrainingTask`: the program takes single texts."""
        return [{"text": example.text}, {"text": example.pair or ""}]

    def finish(self, directory: Path, model: Any, config: TrainConfig) -> None:
        """Write the modules that sentence-transformers reads beside the transformer."""
        modules = _modules(config)
        kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), *([("2_Normalize", "Normalize")] * modules.normalize)]
        listing = [
            {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for place, (path, kind) in enumerate(kinds)
        ]
        flags = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens", "max": "pooling_mode_max_tokens"}
        pooling = {flag: name == modules.pooling for name, flag in flags.items()}
        files: dict[str, Any] = {
            "modules.json": listing,
            "1_Pooling/config.json": {"word_embedding_dimension": int(model.config.hidden_size), **pooling},
            "sentence_bert_config.json": {"max_seq_length": config.max_length, "do_lower_case": modules.lower_case},
        }
        for path, _ in kinds[1:]:
            (directory / path).mkdir(exist_ok=True)
        for name, content in files.items():
            write_text(json.dumps(content, indent=2) + "\n", directory / name, force=True)


def _modules(config: TrainConfig) -> SentenceModules:
    """Pooling and the like of the checkpoint that training starts from; of a plain encoder the mean.

    Raises:
        CheckpointError: it has modules that this training would leave out.
    """
    modules = read_sentence_modules(resolve_source(config.model, None).directory)
    if modules is None or modules.cross_encoder:
        return default_modules()
    if modules.pooling not in _POOLINGS or modules.layers or modules.truncate_dim:
        layers = ", ".join(type(layer).__name__ for layer in modules.layers) or "no layers"
        raise CheckpointError(
            f"{config.model}: pooling {modules.pooling} with {layers} behind it and truncate_dim "
            f"{modules.truncate_dim}: training supports one pooling of {', '.join(_POOLINGS)}, and nothing behind it "
            "but a normalization; train it with sentence-transformers and export the result"
        )
    return modules


def _without_labels(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in batch.items() if name != "labels"}


def pool(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    """Return one vector a text, float [texts, width].

    Args:
        hidden: float [texts, tokens, width].
        mask: int64 [texts, tokens]; 0 where a text has ended.
        how: mean, cls or max.
    """
    if how == "cls":
        return hidden[:, 0]
    if how == "max":
        return hidden.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).max(dim=1).values
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


def cosent_loss(cosines: Tensor, scores: Tensor) -> Tensor:
    """Return CoSENT's loss, log(1 + sum of exp(20 (cosine of j - cosine of i)) for all i with a larger score than j).

    From <https://kexue.fm/archives/8847>, as sentence-transformers' CoSENTLoss.

    Args:
        cosines: float [pairs].
        scores: float [pairs].
    """
    differences = _SCALE * (cosines[None, :] - cosines[:, None])
    chosen = differences[scores[:, None] > scores[None, :]]
    return torch.logsumexp(torch.cat([cosines.new_zeros(1), chosen]), dim=0) + 0 * cosines.sum()


TASK = SentenceSimilarity()
