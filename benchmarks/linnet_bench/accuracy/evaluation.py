"""Measure a model on labelled rows with the metric of its task."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet.tokenization.truncation import TruncationWarning
from linnet_bench.accuracy import metrics
from linnet_bench.accuracy.datasets import Columns, Row, Table
from linnet_bench.accuracy.problems import BadRowsError, Problem, in_order

__all__ = ["METRICS", "OUT_OF_SCOPE", "Evaluation", "evaluate"]

Value = TypeVar("Value")

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""

OUT_OF_SCOPE = "oos"
"""The label of texts that belong to no class, by CLINC150's name for it."""

METRICS: Mapping[str, tuple[str, ...]] = {
    "feature-extraction": ("spearman", "pearson"),
    "fill-mask": ("accuracy", "accuracy_top5"),
    "question-answering": ("exact_match", "f1"),
    "text-classification": (
        "accuracy", "macro_f1", "in_scope_accuracy", "out_of_scope_recall", "out_of_scope_auroc", "micro_f1",
        "exact_match", "spearman", "pearson",
    ),
    "text-ranking": ("spearman", "mrr_at_10"),
    "token-classification": ("f1", "precision", "recall", "accuracy"),
}  # fmt: skip
"""What can be measured of each task; some only with labels of one kind, see :func:`evaluate`."""

_CHUNK = 64  # rows between two reports; large enough for sorting by length to help
_PASSING = 0.5  # score from which a label of a multi-label model counts, as in transformers' examples


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        task: of the file.
        rows: how many rows counted.
        metrics: values by name, from 0 to 1 (correlations from -1); NaN where one is not defined.
        truncated: texts that were cut at the bound.
    """

    task: str
    rows: int
    metrics: Mapping[str, float]
    truncated: int

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold: NaN becomes null."""
        values = {name: None if math.isnan(value) else value for name, value in self.metrics.items()}
        return {"task": self.task, "rows": self.rows, "metrics": values, "truncated": self.truncated}


def evaluate(
    model: Model,
    table: Table,
    columns: Columns,
    progress: Progress | None = None,
    wrong: Sequence[Problem] = (),
) -> Evaluation:
    """Run every row and return the task's metrics.

    =====================  =====================================================================
    text-classification    accuracy, macro_f1; several labels a text: micro_f1, macro_f1,
                           exact_match; one number a text: spearman, pearson; with the label
                           `oos`: in_scope_accuracy, out_of_scope_recall, out_of_scope_auroc
    token-classification   precision, recall, f1 of whole entities; accuracy of words
    question-answering     exact_match, f1 (SQuAD)
    fill-mask              accuracy, accuracy_top5 of the masked word
    feature-extraction     spearman, pearson of the cosine and the given score
    text-ranking           spearman; mrr_at_10 if labels are 0 and 1
    =====================  =====================================================================

    Args:
        model: of the task.
        table: the rows.
        columns: which of its columns is what.
        progress: told how many rows are done.
        wrong: lines of the file that are no rows, which are refused together with rows that do not fit.

    Raises:
        InvalidArgumentError: rows do not fit the task; the message has their lines, counted from 1.
    """
    runs = _Runs(model, table, columns, progress or (lambda done, total: None), wrong)
    found = _TASKS[model.manifest.task](runs)
    return Evaluation(model.manifest.task, len(table.rows), found, runs.truncated)


class _Runs:
    """The rows, and running them in chunks."""

    def __init__(
        self, model: Model, table: Table, columns: Columns, progress: Progress, wrong: Sequence[Problem]
    ) -> None:
        self.model = model
        self.table = table
        self.columns = columns
        self.truncated = 0
        self._problems = [*wrong]
        self._progress = progress

    def read(self, convert: Callable[[Row], Value]) -> list[Value]:
        """Return what a function makes of each row; rows that it refuses are told by :meth:`map`, all at once."""
        found = []
        for index, row in enumerate(self.table.rows):
            try:
                found.append(convert(row))
            except InvalidArgumentError as error:
                self._problems.append(Problem(self.table.place(index), str(error)))
        return found

    def texts(self) -> list[str]:
        """The text column."""
        return self.read(lambda row: _text(row, self.columns.text))

    def pairs(self) -> list[tuple[str, str]]:
        """Text and pair columns."""
        if self.columns.pair is None:
            raise InvalidArgumentError(
                f"{self.table.path}: no column for the second text among "
                f"{', '.join(self.table.columns)}; name it with --pair-column"
            )
        second = self.columns.pair
        return self.read(lambda row: (_text(row, self.columns.text), _text(row, second)))

    def labels(self, convert: Callable[[Any], Value]) -> list[Value]:
        """What a function makes of each label."""

        def read(row: Row) -> Value:
            if row.get(self.columns.label) is None:
                raise InvalidArgumentError(f"{self.columns.label} is missing")
            return convert(row[self.columns.label])

        return self.read(read)

    def numbers(self) -> list[float]:
        """The label column as numbers."""
        return self.labels(_number)

    def map(self, items: Sequence[Any], run: Callable[[Sequence[Any]], Sequence[Any]]) -> list[Any]:
        """Run items in chunks, count what was cut, report progress.

        Raises:
            BadRowsError: of the rows that were read before, these cannot be measured.
        """
        if self._problems:
            raise BadRowsError(in_order(self._problems))
        answers: list[Any] = []
        for start in range(0, len(items), _CHUNK):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                answers += run(items[start : start + _CHUNK])
            self._count(caught)
            self._progress(len(answers), len(items))
        return answers

    def _count(self, caught: Sequence[warnings.WarningMessage]) -> None:
        for each in caught:
            if isinstance(each.message, TruncationWarning):
                self.truncated += len(each.message.positions)
            else:
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{column} is {value!r:.40}, needed a str")
    return value


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{value!r:.40} is no number") from error


# -- tasks -----------------------------------------------------------------------------------------


def _text_classification(runs: _Runs) -> dict[str, float]:
    items: Sequence[Any] = runs.texts() if runs.columns.pair is None else runs.pairs()
    names = runs.model.manifest.labels
    if len(names) == 1 and runs.model.manifest.score_function == "none":
        gold = runs.numbers()
        scores = runs.map(items, lambda chunk: [each["score"] for each in runs.model(list(chunk))])
        return _correlations(scores, gold)
    if any(isinstance(row.get(runs.columns.label), list) for row in runs.table.rows):
        return _several_labels(runs, items)
    expected = runs.labels(lambda label: _label(label, names))
    if OUT_OF_SCOPE in names and OUT_OF_SCOPE in expected:
        return _with_out_of_scope(runs, items, expected)
    found = runs.map(items, lambda chunk: [each["label"] for each in runs.model(list(chunk))])
    return {"accuracy": metrics.accuracy(expected, found), "macro_f1": metrics.macro_f1(expected, found)}


def _with_out_of_scope(runs: _Runs, items: Sequence[Any], expected: Sequence[str]) -> dict[str, float]:
    answers = runs.map(items, lambda chunk: runs.model(list(chunk), top_k=None))
    found = [answer[0]["label"] for answer in answers]
    inside = [max(each["score"] for each in answer if each["label"] != OUT_OF_SCOPE) for answer in answers]
    return {
        "accuracy": metrics.accuracy(expected, found),
        "macro_f1": metrics.macro_f1(expected, found),
        **metrics.out_of_scope_scores(expected, found, inside, OUT_OF_SCOPE),
    }


def _several_labels(runs: _Runs, items: Sequence[Any]) -> dict[str, float]:
    names = runs.model.manifest.labels
    expected = runs.labels(
        lambda label: {_label(each, names) for each in (label if isinstance(label, list) else [label])}
    )
    answers = runs.map(items, lambda chunk: runs.model(list(chunk), top_k=None))
    found = [{each["label"] for each in answer if each["score"] >= _PASSING} for answer in answers]
    micro, macro = metrics.multi_label_f1(expected, found)
    same = metrics.accuracy([frozenset(each) for each in expected], [frozenset(each) for each in found])
    return {"micro_f1": micro, "macro_f1": macro, "exact_match": same}


def _label(label: object, names: Sequence[str]) -> str:
    """A label's name; a number is its place among the names, unless it is a name itself."""
    if str(label) in names:
        return str(label)
    if isinstance(label, int | str) and str(label).isascii() and str(label).isdigit() and int(label) < len(names):
        return names[int(label)]
    known = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    raise InvalidArgumentError(f"label {label!r} is none of the file's {len(names)}: {known}")


def _token_classification(runs: _Runs) -> dict[str, float]:
    names = runs.model.manifest.labels

    def read(row: Row) -> tuple[list[str], list[str]]:
        words, tags = row.get(runs.columns.text), row.get(runs.columns.label)
        if not isinstance(words, list) or not isinstance(tags, list) or len(words) != len(tags):
            raise InvalidArgumentError("needed a list of words and a list of as many tags")
        return [str(word) for word in words], [_label(tag, names) for tag in tags]

    rows = runs.read(read)
    sentences, expected = [words for words, _ in rows], [tags for _, tags in rows]
    found = runs.map(sentences, lambda chunk: _tag_words(runs.model, chunk))
    precision, recall, f1 = metrics.entity_scores(expected, found)
    words = metrics.accuracy([tag for each in expected for tag in each], [tag for each in found for tag in each])
    return {"f1": f1, "precision": precision, "recall": recall, "accuracy": words}


def _tag_words(model: Model, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """The tag of each word: that of its first token; O for a word without one."""
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


def _question_answering(runs: _Runs) -> dict[str, float]:
    answers = runs.labels(_answers)
    questions = [{"question": question, "context": context} for question, context in runs.pairs()]
    impossible = not all(answers)

    def run(chunk: Sequence[Any]) -> list[str]:
        return [_answer_text(runs.model(each, handle_impossible_answer=impossible)) for each in chunk]

    found = runs.map(questions, run)
    pairs = [(each or [""], answer) for each, answer in zip(answers, found, strict=True)]
    exact = [max(metrics.exact_match(one, answer) for one in each) for each, answer in pairs]
    f1 = [max(metrics.token_f1(one, answer) for one in each) for each, answer in pairs]
    return {"exact_match": sum(exact) / len(exact), "f1": sum(f1) / len(f1)}


def _answers(label: Any) -> list[str]:
    """Right answers of a row: a str, a list of them, or ``{"text": [...]}``; none means unanswerable."""
    found = label.get("text") if isinstance(label, dict) else label
    if isinstance(found, str):
        return [found] if found else []
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return found
    raise InvalidArgumentError(f'{label!r:.40} is no answer, needed a str, a list or {{"text": [...]}}')


def _answer_text(answer: Any) -> str:
    return str(answer["answer"]) if isinstance(answer, dict) else ""


def _fill_mask(runs: _Runs) -> dict[str, float]:
    expected = runs.labels(lambda label: str(label).strip().lower())

    def run(chunk: Sequence[Any]) -> list[list[str]]:
        answers = [runs.model(text, top_k=5) for text in chunk]
        return [[str(each["token_str"]).lower() for each in _first_mask(answer)] for answer in answers]

    found = runs.map(runs.texts(), run)
    top5 = [label in answers for label, answers in zip(expected, found, strict=True)]
    return {
        "accuracy": metrics.accuracy(expected, [answers[0] for answers in found]),
        "accuracy_top5": sum(top5) / len(top5),
    }


def _first_mask(answer: list[Any]) -> list[Any]:
    return list(answer[0]) if isinstance(answer[0], list) else answer


def _feature_extraction(runs: _Runs) -> dict[str, float]:
    gold = runs.numbers()
    model = runs.model

    def run(chunk: Sequence[Any]) -> list[float]:
        left, right = (model.encode(list(side), normalize_embeddings=True) for side in zip(*chunk, strict=True))
        return [float(each) for each in (left * right).sum(axis=1)]

    return _correlations(runs.map(runs.pairs(), run), gold)


def _text_ranking(runs: _Runs) -> dict[str, float]:
    gold = runs.numbers()
    pairs = runs.pairs()
    scores = runs.map(pairs, lambda chunk: runs.model.predict(list(chunk)).tolist())
    found = {"spearman": metrics.spearman(scores, gold)}
    if set(gold) <= {0.0, 1.0}:
        relevant = [label == 1.0 for label in gold]
        queries = [query for query, _ in pairs]
        found["mrr_at_10"] = metrics.mean_reciprocal_rank(queries, relevant, scores)
    return found


def _correlations(found: Sequence[float], gold: Sequence[float]) -> dict[str, float]:
    return {"spearman": metrics.spearman(found, gold), "pearson": metrics.pearson(found, gold)}


_TASKS: Mapping[str, Callable[[_Runs], dict[str, float]]] = {
    "feature-extraction": _feature_extraction,
    "fill-mask": _fill_mask,
    "question-answering": _question_answering,
    "text-classification": _text_classification,
    "text-ranking": _text_ranking,
    "token-classification": _token_classification,
}
