"""Token classification (entities, slots) with BIO, BIOES or plain tags.

Words are joined by spaces and tokenized as on the device; the first token of a word has its tag.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from linnet_bench.accuracy import metrics
from linnet_train.config import TrainConfig
from linnet_train.data.batches import NO_LABEL, Rows
from linnet_train.data.rows import Example, Examples
from linnet_train.distill.losses import Loss, class_weights, softened
from linnet_train.loading import Loaded, load_classifier
from linnet_train.report import Confusion, count_confusions
from linnet_train.tasks.base import Answers, Step, TrainingTask
from linnet_train.tasks.rows.token_classification import DESCRIPTION

__all__ = ["TASK", "first_tokens", "word_of_tokens"]

_OUTSIDE = "O"


class TokenClassification(TrainingTask):
    """The task."""

    description = DESCRIPTION

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`."""
        return load_classifier(name, examples.labels, config.optimizer.dropout, "ForTokenClassification")

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; a row has a label for each token, and as `extra` its first tokens and tags."""
        encoded = tokenizer(
            [row.text for row in rows], truncation=True, max_length=config.max_length, return_offsets_mapping=True
        )
        names = [name for name in encoded if name not in ("attention_mask", "offset_mapping")]
        numbers = {label: place for place, label in enumerate(examples.labels)}
        inputs, labels, extra = [], [], []
        for index, row in enumerate(rows):
            inputs.append({name: encoded[name][index] for name in names})
            owners = word_of_tokens(row.words, encoded["offset_mapping"][index])
            tags = [numbers[tag] for tag in row.label]
            labels.append(
                _token_labels(owners, tags, numbers, examples.labels, everywhere=config.data.label_all_tokens)
            )
            extra.append((first_tokens(owners, len(tags)), row.label))
        return Rows(inputs, labels, extra=extra)

    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """See :class:`TrainingTask`: cross entropy of the tokens that have a label."""
        tags = [label for row_labels in rows.labels for label in row_labels if label != NO_LABEL]
        balanced = config.optimizer.class_weights == "balanced"
        weights = class_weights(tags, len(examples.labels)) if balanced else None
        loss = Loss(None, weights, config.optimizer.label_smoothing)

        def run(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            labels = inputs.pop("labels")
            logits = model(**inputs).logits
            return loss(logits.flatten(0, 1), labels.flatten(), {}, None), {"logits": logits}

        return run

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """See :class:`TrainingTask`; of every token of the texts."""
        words = student.runs[0].mask > 0
        ours, theirs = (answers.runs[0].outputs.logits[words] for answers in (student, teacher))
        return softened(ours, theirs, temperature)

    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """Return precision, recall and F1 of whole entities, and the accuracy of words, as `linnet eval` does."""
        expected, tagged = _tags(predictions, rows, examples)
        precision, recall, f1 = metrics.entity_scores(expected, tagged)
        words = metrics.accuracy(list(itertools.chain(*expected)), list(itertools.chain(*tagged)))
        return {"f1": f1, "precision": precision, "recall": recall, "accuracy": words}

    def confusions(self, predictions: Any, rows: Rows, examples: Examples) -> tuple[Confusion, ...]:
        """See :class:`TrainingTask`; of words."""
        expected, tagged = _tags(predictions, rows, examples)
        return count_confusions(list(itertools.chain(*expected)), list(itertools.chain(*tagged)))

    def held_out_row(self, example: Example) -> dict[str, Any]:
        """See :class:`TrainingTask`."""
        return {"tokens": list(example.words), "tags": list(example.label)}


def _tags(predictions: Any, rows: Rows, examples: Examples) -> tuple[list[list[str]], list[list[str]]]:
    """Return the right tags of the words of each row, and those of their first tokens."""
    found = np.asarray(predictions).argmax(axis=-1)
    expected = [list(tags) for _, tags in rows.extra]
    tagged = [
        [_OUTSIDE if token is None else examples.labels[row[token]] for token in tokens]
        for row, (tokens, _) in zip(found, rows.extra, strict=True)
    ]
    return expected, tagged


def word_of_tokens(words: Sequence[str], offsets: Sequence[tuple[int, int]]) -> list[int | None]:
    """Return for each token the number of its word in ``" ".join(words)``; None of special tokens.

    Args:
        words: without spaces.
        offsets: (start, end) of each token in code points; an empty span is a special token.
    """
    starts = list(itertools.accumulate((len(word) + 1 for word in words[:-1]), initial=0))
    # byte-level and Unigram tokens may begin with the space before their word: their last character decides
    return [bisect.bisect_right(starts, end - 1) - 1 if end > start else None for start, end in offsets]


def first_tokens(owners: Sequence[int | None], words: int) -> list[int | None]:
    """Return the first token of each word; None where it has none, or was cut off."""
    first: dict[int, int] = {}
    for place, word in enumerate(owners):
        if word is not None:
            first.setdefault(word, place)
    return [first.get(word) for word in range(words)]


def _token_labels(
    owners: Sequence[int | None],
    tags: Sequence[int],
    numbers: dict[str, int],
    names: Sequence[str],
    *,
    everywhere: bool,
) -> list[int]:
    first = set(first_tokens(owners, len(tags)))
    labels = []
    for place, word in enumerate(owners):
        if word is None or (place not in first and not everywhere):
            labels.append(NO_LABEL)
        else:
            labels.append(tags[word] if place in first else _inside(tags[word], numbers, names))
    return labels


def _inside(tag: int, numbers: dict[str, int], names: Sequence[str]) -> int:
    """I-X for B-X and I for B, where there is one: a word's later tokens go on with its entity."""
    name = names[tag]
    return numbers.get(f"I{name[1:]}", tag) if name == "B" or name.startswith("B-") else tag


TASK = TokenClassification()
