"""Text ranking with a cross-encoder: a relevance score from 0 to 1 for a query and a passage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from linnet_bench.accuracy import metrics
from linnet_train.config import TrainConfig
from linnet_train.data.batches import Rows, encode, text_pairs
from linnet_train.data.rows import Example, Examples
from linnet_train.loading import Loaded, load_classifier
from linnet_train.tasks.base import Answers, Step, TrainingTask
from linnet_train.tasks.rows.text_ranking import DESCRIPTION, RELEVANT

__all__ = ["TASK"]


class TextRanking(TrainingTask):
    """The task."""

    description = DESCRIPTION

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`; the config says what sentence-transformers and `linnet export` know it by."""
        loaded = load_classifier(name, ("LABEL_0",), config.optimizer.dropout)
        settings: Any = loaded.model.config
        settings.sentence_transformers = {"activation_fn": "torch.nn.modules.activation.Sigmoid"}
        return loaded

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; as `extra` the query."""
        inputs = encode(tokenizer, text_pairs(rows), config.max_length)
        return Rows(inputs, [row.label for row in rows], extra=[row.text for row in rows])

    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """See :class:`TrainingTask`: binary cross entropy, as sentence-transformers trains cross-encoders."""

        def run(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            labels = inputs.pop("labels")
            logits = model(**inputs).logits[:, 0].float()
            return nn.functional.binary_cross_entropy_with_logits(logits, labels), {"logits": logits}

        return run

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """See :class:`TrainingTask`; the teacher's score stands in the label's place."""
        wanted = torch.sigmoid(teacher.measured["logits"])
        return nn.functional.binary_cross_entropy_with_logits(student.measured["logits"], wanted)

    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """Return the mean reciprocal rank of the first passage with a label of at least 0.5, and the correlation."""
        scores = [float(prediction) for prediction in predictions]
        relevant = [label >= RELEVANT for label in rows.labels]
        return {
            "mrr_at_10": metrics.mean_reciprocal_rank(rows.extra, relevant, scores),
            "spearman": metrics.spearman(scores, rows.labels),
        }

    def held_out_row(self, example: Example) -> dict[str, Any]:
        """See :class:`TrainingTask`."""
        return {"query": example.text, "passage": example.pair, "label": example.label}


TASK = TextRanking()
