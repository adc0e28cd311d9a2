"""Extractive question answering, with unanswerable questions (SQuAD 1.1 and 2.0).

Long contexts are split into overlapping windows, as on the device; the target of a window without the complete answer
is its first token.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from linnet_bench.accuracy import metrics
from linnet_bench.accuracy.problems import Problem
from linnet_train.config import TrainConfig
from linnet_train.data.batches import Rows
from linnet_train.data.rows import Example, Examples
from linnet_train.distill.losses import softened
from linnet_train.errors import BadDataError
from linnet_train.loading import Loaded, load_classifier
from linnet_train.tasks.base import Answers, Step, TrainingTask
from linnet_train.tasks.rows.question_answering import DESCRIPTION

__all__ = ["TASK", "Window", "answer_span", "best_span"]

_LARGEST_STRIDE = 128  # as the device: the smaller of it and half of the bound
_LONGEST_ANSWER = 15  # tokens, the pipeline's max_answer_len
_SPECIAL = 3  # tokens of a pair beside its texts; more in some tokenizers, which then refuse it themselves
_NO_ANSWER = (0, 0)
_NEVER = -1e4  # a logit


@dataclasses.dataclass(frozen=True)
class Window:
    """A piece of a context, with its question.

    Attributes:
        owner: number of the row.
        spans: (start, end) in the context of each token, in code points; None of tokens outside of the context.
        example: the row.
    """

    owner: int
    spans: tuple[tuple[int, int] | None, ...]
    words: tuple[int | None, ...]
    example: Example


class QuestionAnswering(TrainingTask):
    """The task."""

    description = DESCRIPTION

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`; the two outputs are start and end."""
        return load_classifier(name, ("LABEL_0", "LABEL_1"), config.optimizer.dropout, "ForQuestionAnswering")

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; a row is a window, its label (first token, last token) of the answer."""
        stride = min(config.max_length // 2, _LARGEST_STRIDE)
        _check_question_lengths(rows, tokenizer, config.max_length - stride - _SPECIAL - 1)
        encoded = tokenizer(
            [row.text for row in rows], [row.pair for row in rows], truncation="only_second",
            max_length=config.max_length, stride=stride, return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        owners = encoded["overflow_to_sample_mapping"]
        names = [name for name in encoded if name in ("input_ids", "token_type_ids")]
        inputs, labels, windows = [], [], []
        for place, owner in enumerate(owners):
            encoding = encoded.encodings[place]
            inside = [sequence == 1 for sequence in encoded.sequence_ids(place)]
            spans = tuple(span if within else None for span, within in zip(encoding.offsets, inside, strict=True))
            words = tuple(word if within else None for word, within in zip(encoding.word_ids, inside, strict=True))
            windows.append(Window(owner, spans, words, rows[owner]))
            labels.append(answer_span(spans, rows[owner].label))
            inputs.append({name: encoded[name][place] for name in names})
        return Rows(inputs, labels, extra=windows)

    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """See :class:`TrainingTask`: the mean of the cross entropies of start and end, as in BERT's own training."""

        def run(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            labels = inputs.pop("labels")
            outputs = model(**inputs)
            both = (outputs.start_logits.float(), outputs.end_logits.float())
            ends = [nn.functional.cross_entropy(logits, labels[:, place]) for place, logits in enumerate(both)]
            return (ends[0] + ends[1]) / 2, {"start_logits": both[0], "end_logits": both[1]}

        return run

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """See :class:`TrainingTask`; the mean of start and end, over the tokens of each window."""
        ended = student.runs[0].mask == 0
        sides = [
            [run.outputs[name].float().masked_fill(ended, _NEVER) for run in (student.runs[0], teacher.runs[0])]
            for name in ("start_logits", "end_logits")
        ]
        return sum((softened(ours, theirs, temperature) for ours, theirs in sides), torch.zeros(())) / 2

    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """Return SQuAD's exact match and F1, from 0 to 1, of the answers that the device's rules choose."""
        impossible = not all(window.example.label for window in rows.extra)
        best: dict[int, tuple[float, str]] = {}
        nothing: dict[int, float] = {}
        expected: dict[int, list[str]] = {}
        for start, end, window in zip(*predictions, rows.extra, strict=True):
            score, answer, empty = _decode(start, end, window)
            best[window.owner] = max(best.get(window.owner, (-1.0, "")), (score, answer))
            nothing[window.owner] = min(nothing.get(window.owner, 1.0), empty)
            expected[window.owner] = [text for text, _ in window.example.label] or [""]
        answers = {row: "" if impossible and nothing[row] > score else text for row, (score, text) in best.items()}
        exact = [max(metrics.exact_match(text, answers[row]) for text in texts) for row, texts in expected.items()]
        f1 = [max(metrics.token_f1(text, answers[row]) for text in texts) for row, texts in expected.items()]
        return {"f1": sum(f1) / len(f1), "exact_match": sum(exact) / len(exact)}

    def held_out_row(self, example: Example) -> dict[str, Any]:
        """See :class:`TrainingTask`."""
        answers = {"text": [text for text, _ in example.label], "answer_start": [at for _, at in example.label]}
        return {"question": example.text, "context": example.pair, "answers": answers}


def _check_question_lengths(rows: Sequence[Example], tokenizer: Any, room: int) -> None:
    counts = [len(ids) for ids in tokenizer([row.text for row in rows], add_special_tokens=False)["input_ids"]]
    problems = [
        Problem(
            row.where, f"the question has {count} tokens, expected at most {max(room, 0)}, or a larger --max-length"
        )
        for row, count in zip(rows, counts, strict=True)
        if count > room
    ]
    if problems:
        raise BadDataError(problems)


def answer_span(spans: Sequence[tuple[int, int] | None], answers: Sequence[tuple[str, int]]) -> tuple[int, int]:
    """Return (first token, last token) of the first answer; (0, 0) if the window does not contain all of it.

    Args:
        spans: (start, end) in the context of each token; None outside of it.
        answers: (text, first code point).
    """
    inside = [place for place, span in enumerate(spans) if span is not None]
    if not answers or not inside:
        return _NO_ANSWER
    text, begin = answers[0]
    known = [(place, *(spans[place] or _NO_ANSWER)) for place in inside]
    finish = begin + len(text.rstrip())
    begin += len(text) - len(text.lstrip())
    if known[0][1] > begin or known[-1][2] < finish:
        return _NO_ANSWER
    covered = [place for place, start, end in known if start < finish and end > begin]
    return (covered[0], covered[-1]) if covered else _NO_ANSWER


def _decode(start: npt.NDArray[np.float32], end: npt.NDArray[np.float32], window: Window) -> tuple[float, str, float]:
    """Return score and text of the best span, and the score of there being none."""
    count = len(window.spans)
    context = np.array([span is not None for span in window.spans])
    competing = context.copy()
    competing[0] = True  # the first token stands for no answer
    chances = [_softmax(np.where(competing, logits[:count], -10000.0)) for logits in (start, end)]
    empty = float(chances[0][0] * chances[1][0])
    for chance in chances:
        chance[0] = 0
    span = best_span(chances[0], chances[1], context, _LONGEST_ANSWER)
    if span is None:
        return 0.0, "", empty
    first, last, score = span
    return float(score), _text(window, first, last), empty


def best_span(
    start: npt.NDArray[np.float32], end: npt.NDArray[np.float32], allowed: npt.NDArray[np.bool_], longest: int
) -> tuple[int, int, float] | None:
    """Return first token, last token and score of the best span, or None if it begins or ends outside of ``allowed``.

    The score is start[i] * end[j] with i <= j < i + longest, as the runtime scores spans (decode/spans.cpp); the first
    span counts among equals.

    Args:
        start, end: probabilities, float32 [tokens].
        allowed: bool [tokens].
        longest: most tokens of a span.
    """
    scores = np.tril(np.triu(np.outer(start, end)), longest - 1)
    first, last = divmod(int(scores.argmax()), len(end))
    if not (allowed[first] and allowed[last]):
        return None
    return first, last, float(scores[first, last])


def _softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    values = np.exp(logits - logits.max())
    return np.asarray(values / values.sum(), dtype=np.float32)


def _text(window: Window, first: int, last: int) -> str:
    """Whole words from the first to the last token, as the pipeline's `align_to_words`."""
    words = window.words
    begin = min(place for place, word in enumerate(words) if word is not None and word == words[first])
    finish = max(place for place, word in enumerate(words) if word is not None and word == words[last])
    left, right = window.spans[begin], window.spans[finish]
    return (window.example.pair or "")[left[0] : right[1]] if left and right else ""


TASK = QuestionAnswering()
