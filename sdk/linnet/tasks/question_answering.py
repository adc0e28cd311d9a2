"""question-answering: the span of a context that answers a question, as transformers 4's pipeline.

transformers 5 has no such pipeline any more; the rules are those of 4.57 (pipelines/question_answering.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from linnet.errors import InvalidArgumentError
from linnet.inputs import TextInput, read_questions
from linnet.runtime import Encoding, FloatArray, IntArray
from linnet.session import Outputs, Session
from linnet.tasks.base import check_count, read_options

__all__ = ["TASK", "Answer", "QuestionAnswering", "QuestionOptions", "best_spans"]

Answer: TypeAlias = dict[str, Any]

_MASKED = np.float32(-10000.0)  # logit of a token that cannot be in the answer
_LONGEST_WINDOW = 384  # tokens, unless max_seq_len says otherwise
_LARGEST_STRIDE = 128  # tokens of overlap, unless doc_stride says otherwise


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuestionOptions:
    """Options of a call, with the defaults of transformers 4.

    Attributes:
        question, context: the texts, if the call gives no positional input.
        top_k: how many answers; more than one gives a list.
        doc_stride: overlap of windows in tokens; None: the smaller of 128 and half of max_seq_len.
        max_answer_len: most tokens of an answer.
        max_seq_len: tokens of one window; None: the smaller of 384 and the file's bound.
        handle_impossible_answer: let the empty answer compete.
        align_to_words: let answers begin and end with words.
    """

    question: object = None
    context: object = None
    top_k: int = 1
    doc_stride: int | None = None
    max_answer_len: int = 15
    max_seq_len: int | None = None
    handle_impossible_answer: bool = False
    align_to_words: bool = True

    def __post_init__(self) -> None:
        for name in ("top_k", "max_answer_len"):
            check_count(name, getattr(self, name))
        if self.max_seq_len is not None:
            check_count("max_seq_len", self.max_seq_len)
        if self.doc_stride is not None and (
            isinstance(self.doc_stride, bool) or not isinstance(self.doc_stride, int) or self.doc_stride < 0
        ):
            raise InvalidArgumentError(f"doc_stride is {self.doc_stride!r}, needed an int of at least 0")


class QuestionAnswering:
    """The task."""

    name: ClassVar[str] = "question-answering"
    abilities: ClassVar[str] = "model(question=..., context=...)"

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return ``{score, start, end, answer}``, a list of them for ``top_k`` > 1, a list for a list.

        Offsets are code points of the context. A list of one question gives its answer bare.
        """
        options, run = read_options(QuestionOptions, given)
        batch = read_questions(inputs, options.question, options.context)
        windows = [_windows(session, item, options, run.truncation) for item in batch.items]
        encodings = [window for each in windows for window in each]
        outputs = session.map(encodings, lambda _, each: each, batch_size=run.batch_size)
        answers: list[Any] = []
        at = 0
        for item, each in zip(batch.items, windows, strict=True):
            answers.append(_decode(session, item, each, outputs[at : at + len(each)], options))
            at += len(each)
        return answers[0] if batch.single else answers


def _windows(session: Session, item: TextInput, options: QuestionOptions, truncation: bool) -> Sequence[Encoding]:
    bound = session.manifest.max_length
    longest = min(bound, _LONGEST_WINDOW) if options.max_seq_len is None else options.max_seq_len
    if longest > bound:
        raise InvalidArgumentError(f"max_seq_len is {longest}, this file takes at most {bound} tokens")
    stride = min(longest // 2, _LARGEST_STRIDE) if options.doc_stride is None else options.doc_stride
    if stride > longest:
        raise InvalidArgumentError(f"doc_stride is {stride}, needed at most max_seq_len, which is {longest}")
    if not truncation:
        return session.windows(item, truncation="never", max_length=longest, stride=-1)
    return session.windows(item, truncation="only_second", max_length=longest, stride=stride)


def _decode(
    session: Session,
    item: TextInput,
    windows: Sequence[Encoding],
    outputs: Sequence[Outputs],
    options: QuestionOptions,
) -> Any:
    null_score = 1_000_000.0  # transformers 4 starts with a number above every product of probabilities
    answers: list[Answer] = []
    # words can make several spans the same answer, so more are taken than asked for
    wanted = options.top_k * 2 + 10 if options.align_to_words else options.top_k
    for window, each in zip(windows, outputs, strict=True):
        start, end, empty = _probabilities(session, window, each)
        null_score = min(null_score, empty)
        # a classification token typed into the question has a share of the scores, but is no answer
        allowed = _answerable(session, window) & (window.sequence_ids != 0)
        words = session.words(window) if options.align_to_words else None
        for first, last, score in best_spans(start, end, allowed, wanted, options.max_answer_len):
            _add_answer(answers, _span_text(window, item.pair or "", first, last, words), score)
    if options.handle_impossible_answer:
        answers.append({"score": null_score, "start": 0, "end": 0, "answer": ""})
    answers.sort(key=lambda answer: -answer["score"])
    best = answers[: options.top_k]
    return best[0] if len(best) == 1 else best


def _answerable(session: Session, window: Encoding) -> npt.NDArray[np.bool_]:
    """Tokens of the context, and every classification token (it stands for "no answer")."""
    # without a classification token its id is -1, which no token has
    return np.asarray((window.sequence_ids == 1) | (window.ids == session.manifest.cls_id))


def _probabilities(session: Session, window: Encoding, outputs: Outputs) -> tuple[FloatArray, FloatArray, float]:
    """Probabilities of starts and ends, and that of the empty answer at the first token."""
    allowed = _answerable(session, window)
    start, end = (_softmax_where(allowed, outputs[name].astype(np.float32)) for name in ("start_logits", "end_logits"))
    empty = float(start[0] * end[0])
    start[0] = end[0] = 0.0
    return start, end, empty


def _softmax_where(allowed: npt.NDArray[np.bool_], logits: FloatArray) -> FloatArray:
    masked = np.where(allowed, logits, _MASKED)
    shifted = np.exp(masked - masked.max())
    return np.asarray(shifted / shifted.sum(), dtype=np.float32)


def best_spans(
    start: FloatArray, end: FloatArray, allowed: npt.NDArray[np.bool_], top_k: int, max_answer_len: int
) -> list[tuple[int, int, float]]:
    """Return (first token, last token, score), best first, of spans within the allowed tokens.

    The score is start[i] * end[j] with i <= j < i + max_answer_len. As in transformers 4, the best
    ``top_k`` of all spans are taken before those outside of the allowed tokens are dropped.

    Args:
        start, end: probabilities, float32 [tokens].
        allowed: bool [tokens].
        top_k: most spans to return.
        max_answer_len: most tokens of a span.
    """
    products = np.tril(np.triu(np.outer(start, end)), max_answer_len - 1).ravel()
    count = min(top_k, len(products))
    if count == 1:
        order = np.array([products.argmax()])
    else:
        nearest = np.argpartition(-products, count - 1)[:count]
        order = nearest[np.lexsort((nearest, -products[nearest]))]
    firsts, lasts = np.unravel_index(order, (len(start), len(end)))
    return [
        (int(first), int(last), float(products[at]))
        for at, first, last in zip(order.tolist(), firsts, lasts, strict=True)
        if allowed[first] and allowed[last]
    ]


def _span_text(window: Encoding, context: str, first: int, last: int, words: IntArray | None) -> Answer:
    if words is not None and window.sequence_ids[first] == 1 and window.sequence_ids[last] == 1:
        first, last = _word_bounds(np.where(window.sequence_ids == 1, words, -1), first, last)
    start, end = int(window.offsets[first, 0]), int(window.offsets[last, 1])
    return {"score": 0.0, "start": start, "end": end, "answer": context[start:end]}


def _word_bounds(words: IntArray, first: int, last: int) -> tuple[int, int]:
    """Widen a span of tokens to whole words, inside of the window."""
    while first > 0 and words[first - 1] == words[first]:
        first -= 1
    while last + 1 < len(words) and words[last + 1] == words[last]:
        last += 1
    return first, last


def _add_answer(answers: list[Answer], found: Answer, score: float) -> None:
    """Add the score to an answer of the same words (case aside), or append the answer."""
    for answer in answers:
        if answer["answer"].lower() == found["answer"].lower():
            answer["score"] += score
            return
    answers.append({**found, "score": score})


TASK = QuestionAnswering()
