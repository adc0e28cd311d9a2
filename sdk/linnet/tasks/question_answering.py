"""Task question-answering: the span of a context that answers a question, as in transformers 4.

transformers 5 has removed this pipeline; the rules are those of 4.57 (pipelines/question_answering.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from linnet.errors import InvalidArgumentError
from linnet.inputs import TextInput, read_questions
from linnet.runtime import DecodableArray, Encoding
from linnet.session import Session
from linnet.tasks.base import AnsweringModel, Task, check_count, read_options

__all__ = ["TASK", "Answer", "QuestionAnswering", "QuestionOptions"]

Answer: TypeAlias = dict[str, Any]

_LONGEST_WINDOW = 384  # tokens; default of max_seq_len in transformers 4
_LARGEST_STRIDE = 128  # tokens; largest default of doc_stride in transformers 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuestionOptions:
    """Options of a call, with the defaults of transformers 4.

    Attributes:
        question, context: the texts, if the call has no positional input.
        top_k: number of answers; more than one gives a list.
        doc_stride: overlap of consecutive windows in tokens; None: the smaller of 128 and half of max_seq_len.
        max_answer_len: largest number of tokens of an answer.
        max_seq_len: largest number of tokens of a window; None: the smaller of 384 and the file's maximum length.
        handle_impossible_answer: include the empty answer among the candidates.
        align_to_words: extend answers to whole words.
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
            raise InvalidArgumentError(f"doc_stride is {self.doc_stride!r}, expected an int of at least 0")


class QuestionAnswering(Task):
    """The task question-answering."""

    name: ClassVar[str] = "question-answering"
    abilities: ClassVar[str] = "model(question=..., context=...)"
    options: ClassVar[frozenset[str]] = frozenset({"question", "context", "top_k"})
    strategy: ClassVar[str] = "only_second"  # the question is never cut
    reads_questions: ClassVar[bool] = True

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return ``{score, start, end, answer}``, or a list of them for ``top_k`` > 1; for a list of questions a list.

        Offsets count code points of the context. A list of one question gives its answer alone, as in the pipeline.
        """
        options, run = read_options(QuestionOptions, given)
        batch = read_questions(inputs, options.question, options.context)
        windows = session.for_each(batch.items, lambda item: _windows(session, item, options, run.truncation))
        encodings = [window for group in windows for window in group]
        outputs = session.decode(encodings, lambda _, arrays: arrays, batch_size=run.batch_size)
        answers: list[Any] = []
        at = 0
        for item, group in zip(batch.items, windows, strict=True):
            answers.append(_decode(session, item, group, outputs[at : at + len(group)], options))
            at += len(group)
        return answers[0] if batch.single else answers

    def answer_row(self, model: AnsweringModel, row: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Answer the question of a row of ``linnet run``."""
        return model(question=row["question"], context=row["context"], **options)


def _windows(session: Session, item: TextInput, options: QuestionOptions, truncation: bool) -> Sequence[Encoding]:
    bound = session.manifest.max_length
    longest = min(bound, _LONGEST_WINDOW) if options.max_seq_len is None else options.max_seq_len
    if longest > bound:
        raise InvalidArgumentError(f"max_seq_len is {longest}, this file takes at most {bound} tokens")
    stride = min(longest // 2, _LARGEST_STRIDE) if options.doc_stride is None else options.doc_stride
    if stride > longest:
        raise InvalidArgumentError(f"doc_stride is {stride}, expected at most max_seq_len, which is {longest}")
    if not truncation:
        return session.windows(item, truncation="never", max_length=longest, stride=-1)
    return session.windows(item, truncation="only_second", max_length=longest, stride=stride)


def _decode(
    session: Session,
    item: TextInput,
    windows: Sequence[Encoding],
    outputs: Sequence[Sequence[DecodableArray]],
    options: QuestionOptions,
) -> Any:
    context = item.pair or ""
    spans = session.task.spans(
        context,
        [session.decodable(window, None, context) for window in windows],
        outputs,
        top_k=options.top_k,
        max_answer_length=options.max_answer_len,
        allow_empty=options.handle_impossible_answer,
        align_to_words=options.align_to_words,
    )
    best: list[Answer] = [
        {"score": span.score, "start": span.start, "end": span.end, "answer": span.answer} for span in spans
    ]
    return best[0] if len(best) == 1 else best


TASK = QuestionAnswering()
