"""Task text-classification: labels with scores, as the pipeline of transformers 5 returns them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import SCORE_FUNCTIONS
from linnet.inputs import read_texts
from linnet.runtime import DecodableArray
from linnet.session import Session
from linnet.tasks.base import NOT_GIVEN, NotGiven, Task, check_count, read_options

__all__ = ["TASK", "ClassificationOptions", "TextClassification"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassificationOptions:
    """Options of a call.

    Attributes:
        top_k: number of labels, best first; None: all. If left out, the best label alone instead of a list.
        function_to_apply: softmax, sigmoid or none; None: the score function of the manifest.
    """

    top_k: int | NotGiven | None = NOT_GIVEN
    function_to_apply: str | None = None

    def __post_init__(self) -> None:
        if self.top_k is not None and self.top_k is not NOT_GIVEN:
            check_count("top_k", self.top_k)
        if self.function_to_apply is not None and self.function_to_apply not in SCORE_FUNCTIONS:
            known = ", ".join(SCORE_FUNCTIONS)
            raise InvalidArgumentError(f"function_to_apply is {self.function_to_apply!r}, expected one of {known}")


class TextClassification(Task):
    """The task text-classification."""

    name: ClassVar[str] = "text-classification"
    abilities: ClassVar[str] = "model(text) with the labels' scores"
    options: ClassVar[frozenset[str]] = frozenset({"top_k"})

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return ``[{label, score}]`` for a str, ``{label, score}`` for a pair, a list of such dicts for a list.

        With ``top_k`` the answer to each text is a list of dicts.
        """
        options, run = read_options(ClassificationOptions, given)
        batch = read_texts(inputs, pairs=True)
        encodings = session.encode_all(batch.items, truncation=run.truncation, strategy="longest_first")
        logits = session.manifest.outputs.index("logits")
        answers = session.decode(
            encodings, lambda _, outputs: self._decode(session, outputs[logits], options), batch_size=run.batch_size
        )
        if not batch.single:
            return answers
        # the pipeline puts the only answer into a list for a plain string, and for no other input
        return [answers[0]] if batch.bare and options.top_k is NOT_GIVEN else answers[0]

    def _decode(self, session: Session, logits: DecodableArray, options: ClassificationOptions) -> Any:
        only_best = options.top_k is NOT_GIVEN
        top_k = options.top_k if isinstance(options.top_k, int) else 0
        classes = session.task.classes(
            logits, top_k=1 if only_best else top_k, score_function=options.function_to_apply or ""
        )
        labels = session.manifest.labels
        answers = [{"label": labels[scored.label_index], "score": scored.score} for scored in classes]
        return answers[0] if only_best else answers


TASK = TextClassification()
