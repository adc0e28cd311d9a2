"""Token classification: scores of whole entities, and accuracy of each word's tag."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet_bench.accuracy import metrics
from linnet_bench.tasks.base import Task

if TYPE_CHECKING:
    from linnet_bench.accuracy.datasets import Row
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["TASK", "Tagged", "scores", "tag_rows"]


class TokenClassification(Task):
    """The task token-classification; see :class:`~linnet_bench.tasks.base.Task`."""

    name = "token-classification"
    metrics = ("f1", "precision", "recall", "accuracy")
    every_token = True
    plain_texts = True

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Return the scores of entities and words; see :class:`~linnet_bench.tasks.base.Task`."""
        return scores(tag_rows(rows))


@dataclasses.dataclass(frozen=True)
class Tagged:
    """Sentences, the right tags of their words, and those that a model gave them."""

    sentences: Sequence[Sequence[str]]
    expected: Sequence[Sequence[str]]
    found: Sequence[Sequence[str]]


def scores(tagged: Tagged) -> dict[str, float]:
    """Return precision, recall and F1 of whole entities, and the accuracy of words."""
    precision, recall, f1 = metrics.entity_scores(tagged.expected, tagged.found)
    words = metrics.accuracy([*itertools.chain(*tagged.expected)], [*itertools.chain(*tagged.found)])
    return {"f1": f1, "precision": precision, "recall": recall, "accuracy": words}


def tag_rows(rows: LabelledRows) -> Tagged:
    """Run labelled rows.

    Raises:
        InvalidArgumentError: rows have no words and as many tags that the file knows; the message has their lines.
    """

    def read(row: Row) -> tuple[list[str], list[str]]:
        words, tags = row.get(rows.columns.text), row.get(rows.columns.label)
        if not isinstance(words, list) or not isinstance(tags, list) or len(words) != len(tags):
            raise InvalidArgumentError("expected a list of words and a list of as many tags")
        return [str(word) for word in words], [rows.label_name(tag) for tag in tags]

    labelled = rows.read(read)
    sentences, expected = [words for words, _ in labelled], [tags for _, tags in labelled]
    return Tagged(sentences, expected, rows.map(sentences, lambda chunk: _tag_words(rows.model, chunk)))


def _tag_words(model: Model, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the tag of each word, which is that of its first token; O for a word without one."""
    answers = model([" ".join(words) for words in sentences], aggregation_strategy="none", ignore_labels=[])
    tags: list[list[str]] = []
    for words, tokens in zip(sentences, answers, strict=True):
        first = {}
        for token in reversed(tokens):
            first[token["start"]] = token["entity"]
        starts = sorted(first)
        sentence, at = [], 0
        for word in words:
            inside = next((start for start in starts if at <= start < at + len(word)), None)
            sentence.append("O" if inside is None else first[inside])
            at += len(word) + 1
        tags.append(sentence)
    return tags


TASK = TokenClassification()
