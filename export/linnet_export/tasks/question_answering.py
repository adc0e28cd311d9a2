"""question-answering: the span of a context that answers a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks.base import CSample, Outputs, SampleValues, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["QuestionAnswering"]

_LONGEST_ANSWER = 15
"""Tokens of an answer, `max_answer_len` of transformers' question-answering pipeline."""


class QuestionAnswering(Task):
    """Two logits [batch, length]: where the answer starts and where it ends."""

    name = "question-answering"
    auto_class = "AutoModelForQuestionAnswering"
    architecture_suffixes = ("ForQuestionAnswering",)
    takes_pairs = True
    needs_pairs = True
    truncation = "only_second"

    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Return a head with two outputs a token."""
        from linnet_export.graph.heads.span import span_head

        return span_head(model, architecture)

    def outputs(self, settings: HeadSettings) -> tuple[str, ...]:
        """Return the names of both logits."""
        return ("start_logits", "end_logits")

    def original_outputs(self, result: Any) -> dict[str, Tensor]:
        """Return both logits of the original."""
        return {"start_logits": result.start_logits, "end_logits": result.end_logits}

    def answers(self, outputs: Outputs, answerable: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return the best span [1], as one number for its start and end."""
        positions = np.flatnonzero(answerable)
        start = outputs["start_logits"][positions].astype(np.float64)
        end = outputs["end_logits"][positions].astype(np.float64)
        length = np.arange(len(positions)) - np.arange(len(positions))[:, None]
        sums = np.where((length >= 0) & (length < _LONGEST_ANSWER), start[:, None] + end, -np.inf)
        return np.atleast_1d(sums.argmax())

    def sample_text(self, mask: str) -> str:
        """Return a context that answers the samples' question."""
        return "The bakery opens at six."

    def kotlin_sample(self, values: SampleValues) -> str:
        """Return the answer."""
        return f"model.answer({values.question}, {values.text}).text"

    def swift_sample(self, values: SampleValues) -> str:
        """Return the answer."""
        return f"model.answer({values.question}, context: {values.text})[0].text"

    def python_sample(self, values: SampleValues) -> str:
        """Print the answer."""
        return f"print(model(question={values.question}, context={values.text}))"

    def c_sample(self, values: SampleValues) -> CSample:
        """Answer the question."""
        call = "linnet_answer_question(task, &engine, question, text, NULL, &answers)"
        return CSample(call, with_question=True)
