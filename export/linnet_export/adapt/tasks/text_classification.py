"""text-classification: one class for each text or pair of texts, perhaps with one for what belongs to none."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from linnet.datasets import Columns, Row
from linnet.problems import Place, Problem
from linnet_export.adapt.batches import NO_LABEL, Rows, encode, text_pairs
from linnet_export.adapt.config import DataConfig, TrainConfig
from linnet_export.adapt.contrast import contrastive_loss, read_by_last_layer
from linnet_export.adapt.errors import BadDataError
from linnet_export.adapt.loading import Loaded, load_classifier
from linnet_export.adapt.losses import Loss, class_weights
from linnet_export.adapt.measures import classification_figures
from linnet_export.adapt.tasks.base import Answers, Step, TrainingTask
from linnet_export.adapt.tasks.rows import Example, Examples, overlap_note, read_file, shown, texts_wrong

__all__ = ["TASK"]

_OUT_OF_SCOPE = "oos"  # CLINC150's own name
_FEWEST_HELD_OUT = 1
_WITHOUT_OUT_OF_SCOPE = ("accuracy", "macro_f1")


class TextClassification(TrainingTask):
    """The task."""

    name = "text-classification"
    metrics = (*_WITHOUT_OUT_OF_SCOPE, "in_scope_accuracy", "out_of_scope_recall", "out_of_scope_auroc")
    options = frozenset(
        {
            "augmentation", "hidden_weight", "calibration", "class_weights", "label_smoothing", "objective",
            "out_of_scope",
        }
    )  # fmt: skip
    teacher_beside = False

    def read(self, config: DataConfig, seed: int) -> Examples:
        """See :class:`TrainingTask`; without validation rows a share of each class is held out."""
        problems: list[Problem] = []
        rows = read_file(config.train, config, _read_row, problems)
        held_out = read_file(config.validation, config, _read_row, problems) if config.validation else []
        labels = tuple(sorted({each.label for each in rows}))
        if rows and len(labels) < 2:
            problems.append(
                Problem(Place(str(config.train)), f"every row has the label {labels[0]!r}, needed at least two classes")
            )
        if held_out:
            problems += _unseen(held_out, labels)
        if config.out_of_scope is not None and config.out_of_scope not in labels:
            problems.append(
                Problem(Place(str(config.train)), f"no row has the out-of-scope label {config.out_of_scope!r}")
            )
        if problems:
            raise BadDataError(problems)
        notes = _notes(rows, held_out)
        if not held_out:
            rows, held_out = _split(rows, config.validation_split, seed)
        usual = _OUT_OF_SCOPE if _OUT_OF_SCOPE in labels else None
        return Examples(tuple(rows), tuple(held_out), labels, config.out_of_scope or usual, notes)

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`."""
        return load_classifier(name, examples.labels, config.optimizer.dropout)

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; a label is the number of a class."""
        numbers = {label: place for place, label in enumerate(examples.labels)}
        inputs = encode(tokenizer, text_pairs(rows), config.max_length)
        return Rows(inputs, [numbers[each.label] for each in rows])

    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """See :class:`TrainingTask`: :class:`Loss`, with a teacher's answers where the batch has them; or contrast."""
        if config.optimizer.objective == "contrast":
            return _contrast
        supervised = [label for label in rows.labels if label != NO_LABEL]
        balanced = config.optimizer.class_weights == "balanced"
        loss = Loss(
            config.distillation,
            class_weights(supervised, len(examples.labels)) if balanced else None,
            config.optimizer.label_smoothing,
        )

        def run(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            labels = inputs.pop("labels")
            teacher = {name: inputs.pop(name) for name in list(inputs) if name.startswith("teacher_")}
            wanted = {"output_hidden_states": True} if "teacher_hidden" in teacher else {}
            outputs = model(**inputs, **wanted)
            hidden = outputs.hidden_states[-1][:, 0] if "teacher_hidden" in teacher else None
            return loss(outputs.logits, labels, teacher, hidden), {"logits": outputs.logits}

        return run

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """See :class:`TrainingTask`; a teacher was asked once for all rows, and :class:`Loss` has its answers."""
        return None

    def watched(self, config: TrainConfig) -> str:
        """See :class:`TrainingTask`; an untrained last layer has no accuracy worth watching."""
        return "loss" if config.optimizer.objective == "contrast" else super().watched(config)

    def measured(self, config: TrainConfig, examples: Examples) -> tuple[str, ...]:
        """See :class:`TrainingTask`; out-of-scope figures need held-out rows that are out of scope."""
        outside = any(each.label == examples.out_of_scope for each in examples.validation)
        return self.metrics if outside else _WITHOUT_OUT_OF_SCOPE

    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """See :func:`classification_figures`."""
        return classification_figures(predictions, np.asarray(rows.labels), examples.labels, examples.out_of_scope)


def _contrast(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    labels = inputs.pop("labels")
    features, logits = read_by_last_layer(model, inputs)
    # the last layer has a gradient too, of zeros: several processes wait for one of every weight
    return contrastive_loss(features, labels) + 0 * logits.sum(), {"logits": logits}


def _read_row(row: Row, columns: Columns, where: Place) -> Example | list[str]:
    label = _label(row.get(columns.label))
    wrong = texts_wrong(row, (columns.text, columns.pair))
    if label is None:
        wrong.append(f"{columns.label} is {shown(row.get(columns.label))}, needed a label")
    pair = row.get(columns.pair) if columns.pair is not None else None
    return wrong or Example(row[columns.text], pair, str(label), where)


def _label(value: Any) -> str | None:
    if isinstance(value, bool | int):
        return str(value)
    return value.strip() if isinstance(value, str) and value.strip() else None


def _unseen(rows: Iterable[Example], labels: Sequence[str]) -> list[Problem]:
    known = set(labels)
    return [
        Problem(each.where, f"label {each.label!r} does not occur in the training rows")
        for each in rows
        if each.label not in known
    ]


def _notes(rows: Sequence[Example], held_out: Sequence[Example]) -> tuple[str, ...]:
    notes = []
    found: dict[tuple[str, str | None], set[str]] = {}
    for each in rows:
        found.setdefault((each.text, each.pair), set()).add(each.label)
    doubtful = sum(len(labels) > 1 for labels in found.values())
    if doubtful:
        notes.append(f"{doubtful} texts occur with more than one label")
    notes += overlap_note(rows, held_out)
    few = [name for name, count in Counter(each.label for each in rows).items() if count < 8]
    if few:
        notes.append(f"fewer than 8 rows of {len(few)} classes: {', '.join(sorted(few)[:5])}")
    return tuple(notes)


def _split(rows: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Hold out a share of each class, at least one row; a class of one row stays whole in training."""
    by_label: dict[str, list[int]] = {}
    for index, each in enumerate(rows):
        by_label.setdefault(each.label, []).append(index)
    chosen: set[int] = set()
    generator = random.Random(seed)
    for label in sorted(by_label):
        places = by_label[label]
        count = max(_FEWEST_HELD_OUT, round(share * len(places))) if len(places) > 1 else 0
        chosen.update(generator.sample(places, count))
    train = [each for index, each in enumerate(rows) if index not in chosen]
    return train, [rows[index] for index in sorted(chosen)]


TASK = TextClassification()
