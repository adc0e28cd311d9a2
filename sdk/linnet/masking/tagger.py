"""Names, places and organizations of a text, by a token-classification program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from linnet.errors import InvalidArgumentError, TaskMismatchError
from linnet.masking.span import SOURCES, Given
from linnet.model import Model

__all__ = ["Tagger"]

_TASK = "token-classification"
_NAMES = {
    "PER": "PERSON", "PERS": "PERSON", "NAME": "PERSON",
    "LOC": "LOCATION", "GPE": "LOCATION", "PLACE": "LOCATION",
    "ORG": "ORGANIZATION",
    "MISC": "",
}  # fmt: skip
"""Types of the labels of CoNLL-2003 and OntoNotes; an empty one is no personal data."""


class Tagger:
    """A token-classification program, and the types that its labels stand for.

    Args:
        model: a linnet file of the task token-classification, or its path.
        labels: types by label without "B-" and "I-", besides the usual ones; an empty type leaves a label out.
        min_score: least score of an entity.
    """

    def __init__(self, model: Model | str | Path, *, labels: Mapping[str, str], min_score: float) -> None:
        if isinstance(model, str | Path):
            from linnet.loading import load

            model = load(model)
        if model.task != _TASK:
            raise TaskMismatchError(f"the tagger's task is {model.task}, expected {_TASK}; pass a file of that task")
        self._model = model
        self._min_score = min_score
        self._types = {label: self._type(label, labels) for label in {_bare(name) for name in model.labels}}
        # words exist for a tokenizer that marks them; else every token stands for itself
        self._strategy = "average" if model.manifest.tokenizer_kind == "wordpiece" else "simple"
        self._stride = max(model.max_length // 8, 0)

    @property
    def types(self) -> frozenset[str]:
        """The types that it can find."""
        return frozenset(filter(None, self._types.values()))

    def find(self, text: str) -> list[Given]:
        """Return the entities of a text of any length, in windows that overlap."""
        if not text.strip():
            return []
        entities = self._model(text, aggregation_strategy=self._strategy, stride=self._stride)
        found = ((self._types.get(entity["entity_group"], ""), entity) for entity in entities)
        return [
            (type_, entity["start"], entity["end"], float(entity["score"]), SOURCES.index("tagger"))
            for type_, entity in found
            if type_ and entity["score"] >= self._min_score and entity["end"] > entity["start"]
        ]

    @staticmethod
    def _type(label: str, given: Mapping[str, str]) -> str:
        if label == "O":
            return ""
        if label in given or label in _NAMES:
            return given.get(label, _NAMES.get(label, ""))
        name = re.sub(r"[^A-Z0-9_]+", "_", label.upper()).strip("_")[:32]
        if not name or not name[0].isalpha():
            raise InvalidArgumentError(f"the label {label!r} names no type; give one by labels={{{label!r}: ...}}")
        return name


def _bare(label: str) -> str:
    """Return a label without the mark of its place in an entity, as aggregation leaves it."""
    return label[2:] if label[:2] in ("B-", "I-") else label
