"""Task text-ranking: relevance scores of query and passage, like CrossEncoder of sentence-transformers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from linnet.errors import InvalidArgumentError, TaskMismatchError
from linnet.inputs import Batch, TextInput, read_sentences, read_texts
from linnet.runtime import FloatArray
from linnet.session import RunOptions, Session
from linnet.tasks.base import AnsweringModel, Task, check_count, read_options

__all__ = ["TASK", "TextRanking", "rank", "score_pairs"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RankingOptions:
    """Options of a call: none besides the run options."""


class TextRanking(Task):
    """The task text-ranking."""

    name: ClassVar[str] = "text-ranking"
    abilities: ClassVar[str] = "rank(query, passages), predict(pairs), model(pair)"
    options: ClassVar[frozenset[str]] = frozenset({"top_k"})
    ranks_passages: ClassVar[bool] = True

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return ``{"score": ...}`` for a pair, a list of them for a list of pairs."""
        _, run = read_options(RankingOptions, given)
        batch = read_texts(inputs, pairs=True)
        answers = [{"score": score.tolist()} for score in _scores(session, batch, run)]
        return answers[0] if batch.single else answers

    def answer_row(self, model: AnsweringModel, row: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Rank the passages of a row of ``linnet run``, or score its one pair."""
        if "passages" in row:
            return model.rank(row["text"], row["passages"], return_documents=True, **options)
        single = {name: value for name, value in options.items() if name != "top_k"}  # a single pair has a single score
        return super().answer_row(model, row, single)


def score_pairs(session: Session, pairs: object, run: RunOptions) -> FloatArray:
    """Return scores of pairs: float32 [pairs], or [pairs, scores] if a pair has several scores.

    A pair is a tuple or a list of two strings. One pair that is not in a list gives a result without the first axis.

    Raises:
        InvalidArgumentError: an item is not a pair; the message has its position.
    """
    single = isinstance(pairs, list | tuple) and len(pairs) > 0 and isinstance(pairs[0], str)
    values = [pairs] if single else pairs
    if isinstance(values, list | tuple):
        values = [tuple(value) if isinstance(value, list) else value for value in values]
    scores = _scores(session, read_texts(values, pairs=True), run)
    return scores[0] if single else scores


def rank(
    session: Session, query: object, passages: object, *, top_k: int | None, return_documents: bool, run: RunOptions
) -> list[dict[str, Any]]:
    """Return ``{"corpus_id", "score"[, "text"]}`` for each passage, best first.

    Raises:
        TaskMismatchError: the model returns more than one score per pair.
        InvalidArgumentError: the query or a passage is not a str, or ``top_k`` is invalid.
    """
    if not isinstance(query, str):
        raise InvalidArgumentError(f"query is a {type(query).__name__}, expected a str")
    if isinstance(passages, str):
        raise InvalidArgumentError("passages is a str, expected a list of str")
    if top_k is not None:
        check_count("top_k", top_k)
    texts = [item.text for item in read_sentences(passages).items]
    scores = _scores(session, Batch(tuple(TextInput(query, text) for text in texts), single=False), run)
    if scores.ndim != 1:
        raise TaskMismatchError(
            f"rank() needs one score a pair, this model gives {scores.shape[1]}; use predict(pairs)"
        )
    ranked = [_ranked(index, float(scores[index]), texts, return_documents) for index in range(len(texts))]
    ranked.sort(key=lambda passage: -passage["score"])
    return ranked[:top_k]


def _ranked(index: int, score: float, texts: Sequence[str], return_documents: bool) -> dict[str, Any]:
    text = {"text": texts[index]} if return_documents else {}
    return {"corpus_id": index, "score": score, **text}


def _scores(session: Session, batch: Batch, run: RunOptions) -> FloatArray:
    for index, item in enumerate(batch.items):
        if item.pair is None:
            where = "the input" if batch.single else f"inputs[{index}]"
            raise InvalidArgumentError(f"{where} is one text, text-ranking needs a pair: (query, passage)")
    encodings = session.encode_all(batch.items, truncation=run.truncation, strategy="longest_first")
    rows = session.map(encodings, lambda _, outputs: session.task.scores(outputs["logits"]), batch_size=run.batch_size)
    if not rows:
        return np.empty(0, dtype=np.float32)
    scores = np.stack(rows)
    return scores[:, 0] if scores.shape[1] == 1 else scores


TASK = TextRanking()
