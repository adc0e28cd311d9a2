"""Answers of each file: agreement with the first file, and metrics on labelled data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from linnet.errors import InvalidArgumentError
from linnet.golden_replay import answer_outputs
from linnet.loading import load
from linnet.model import Model
from linnet.runtime import FloatArray
from linnet.tasks.feature_extraction import choose_prompt
from linnet_bench.accuracy.datasets import Columns, Table
from linnet_bench.accuracy.evaluation import Progress, evaluate
from linnet_bench.measure.candidate import OpenedFile
from linnet_bench.measure.sample import long_text
from linnet_bench.tasks import get_task

__all__ = ["Answers", "Text", "agreement", "ask_all", "texts_for"]

Outputs: TypeAlias = Mapping[str, FloatArray]

_MOST_TEXTS = 200  # from the data; more texts change little and take time


@dataclasses.dataclass(frozen=True)
class Text:
    """A text or a pair.

    Attributes:
        text: first or only text, its prompt included.
        pair: second text; None: a single text.
        prompt: the prompt that it begins with, which a program may leave out of the pooling.
    """

    text: str
    pair: str | None = None
    prompt: str = ""


@dataclasses.dataclass(frozen=True)
class Answers:
    """The answers of one file.

    Attributes:
        outputs: for each text, arrays by name of the output, without the batch axis; of a decoder the likeliest tokens.
        metrics: metrics on the data; empty without data.
    """

    outputs: Sequence[Outputs]
    metrics: Mapping[str, float]


def texts_for(opened: Sequence[OpenedFile], table: Table | None, columns: Columns | None) -> list[Text]:
    """Return the texts to measure agreement on.

    They are the first rows of the data; without data, those of all golden cases and built-in sentences.
    """
    if table is not None and columns is not None and all(isinstance(row[columns.text], str) for row in table.rows):
        second = columns.pair
        rows = table.rows[:_MOST_TEXTS]
        return [Text(row[columns.text], None if second is None else row.get(second)) for row in rows]
    golden = [text for file in opened for text in _golden(file)]
    own: list[Text] = []
    if get_task(opened[0].manifest.task).plain_texts:
        own = [Text(sentence.strip() + ".") for sentence in long_text(1).split(". ") if sentence.strip()]
    texts = list(dict.fromkeys([*golden, *own]))
    if not texts:
        raise InvalidArgumentError("the files have no golden cases to compare answers on; give texts with --data")
    return texts


def _golden(file: OpenedFile) -> list[Text]:
    """Return the texts of the golden cases, which begin with the file's default prompt."""
    prompt = choose_prompt(file.manifest, None, None)
    return [Text(case.text, case.pair, prompt) for case in file.evidence.golden]


def ask_all(
    opened: Sequence[OpenedFile], texts: Sequence[Text], table: Table | None, columns: Columns | None,
    threads: int, progress: Progress | None = None,
) -> list[Answers]:  # fmt: skip
    """Run all texts through each file, one file after the other, so that only one is in memory at a time.

    Raises:
        LinnetError: a file cannot answer, or the data does not fit the task.
    """
    answers = []
    for file in opened:
        with load(file.path, threads=threads, self_test=False) as model:
            outputs = [_ask(model, text) for text in texts]
            answers.append(Answers(outputs, _metrics(model, table, columns, progress)))
    return answers


def _ask(model: Model, text: Text) -> Outputs:
    outputs = answer_outputs(model, text.text, text.pair, model.prompt_tokens(text.prompt))[1]
    if get_task(model.task).compared_by_best:
        return {name: rows.argmax(axis=-1).astype(np.float32) for name, rows in outputs.items()}
    return outputs


def _metrics(
    model: Model, table: Table | None, columns: Columns | None, progress: Progress | None
) -> Mapping[str, float]:
    if table is None or columns is None:
        return {}
    return evaluate(model, table, columns, progress).metrics


def agreement(task: str, first: Sequence[Outputs], other: Sequence[Outputs]) -> float:
    """Return the agreement of two files' answers, 0 to 1.

    Embeddings: the mean cosine. One score a text: the share of pairs of texts in the same order (1 for a single
    text). Otherwise: the share of equal best classes over all rows and outputs; of a decoder, of the likeliest token
    behind each token of the texts.

    Raises:
        InvalidArgumentError: outputs have different shapes, so the files are not of one model.
    """
    for one, two in zip(first, other, strict=True):
        shapes = [[values.shape for values in outputs.values()] for outputs in (one, two)]
        if shapes[0] != shapes[1]:
            raise InvalidArgumentError(
                f"the files give outputs of the shapes {shapes[0]} and {shapes[1]} for one text; "
                "compare files of models with the same outputs"
            )
    if get_task(task).compared_by_cosine:
        return float(np.mean([_cosine(one, two) for one, two in zip(first, other, strict=True)]))
    if get_task(task).compared_by_best:
        equal = [one[name] == two[name] for one, two in zip(first, other, strict=True) for name in one]
        return float(np.concatenate(equal).mean())
    if next(iter(first[0].values())).shape == (1,):
        return _same_order([_score(outputs) for outputs in first], [_score(outputs) for outputs in other])
    same = [_same_best(one, two) for one, two in zip(first, other, strict=True)]
    return float(np.concatenate(same).mean())


def _cosine(one: Outputs, two: Outputs) -> float:
    left, right = (next(iter(outputs.values())).astype(np.float64).ravel() for outputs in (one, two))
    return float(left @ right / max(1e-30, float(np.linalg.norm(left) * np.linalg.norm(right))))


def _score(outputs: Outputs) -> float:
    return float(next(iter(outputs.values()))[0])


def _same_order(left: Sequence[float], right: Sequence[float]) -> float:
    pairs = [(i, j) for i in range(len(left)) for j in range(i)]
    same = [np.sign(left[i] - left[j]) == np.sign(right[i] - right[j]) for i, j in pairs]
    return float(np.mean(same)) if same else 1.0


def _same_best(one: Outputs, two: Outputs) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    same = [np.atleast_1d(one[name].argmax(axis=-1) == two[name].argmax(axis=-1)) for name in one]
    return np.concatenate(same)
