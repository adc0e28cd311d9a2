"""Accuracy metrics, each in its standard definition; pure functions of lists."""

from __future__ import annotations

import dataclasses
import re
import string
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Entities",
    "EntityCounts",
    "accuracy",
    "area_under_roc",
    "correlations",
    "entity_counts",
    "entity_scores",
    "exact_match",
    "find_entities",
    "macro_f1",
    "mean_reciprocal_rank",
    "multi_label_f1",
    "normalize_answer",
    "out_of_scope_scores",
    "pearson",
    "ranks",
    "spearman",
    "sum_counts",
    "token_f1",
]

Entities: TypeAlias = set[tuple[str, int, int]]
"""Entities of a sentence, each as (name, first word, last word)."""


def accuracy(expected: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    """Return the share of equal answers; NaN for empty lists."""
    same = [left == right for left, right in zip(expected, found, strict=True)]
    return sum(same) / len(same) if same else float("nan")


def macro_f1(expected: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    """Return the mean F1 of all classes that occur in either list (scikit-learn's ``average="macro"``)."""
    true, guessed = Counter(expected), Counter(found)
    hits = Counter(left for left, right in zip(expected, found, strict=True) if left == right)
    classes = true.keys() | guessed.keys()
    scores = [2 * hits[class_] / (true[class_] + guessed[class_]) for class_ in classes]
    return sum(scores) / len(scores) if scores else float("nan")


def multi_label_f1(expected: Sequence[set[str]], found: Sequence[set[str]]) -> tuple[float, float]:
    """Return micro and macro F1 of sets of labels; macro over the labels that occur."""
    true = Counter(label for labels in expected for label in labels)
    guessed = Counter(label for labels in found for label in labels)
    hits = Counter(label for left, right in zip(expected, found, strict=True) for label in left & right)
    total = sum(true.values()) + sum(guessed.values())
    scores = [2 * hits[label] / (true[label] + guessed[label]) for label in true.keys() | guessed.keys()]
    micro = 2 * sum(hits.values()) / total if total else float("nan")
    return micro, sum(scores) / len(scores) if scores else float("nan")


def area_under_roc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the chance that a positive scores above a negative, ties half (Mann-Whitney U); NaN if either is empty."""
    if not positive or not negative:
        return float("nan")
    places = ranks([*positive, *negative])[: len(positive)]
    above = float(places.sum()) - len(positive) * (len(positive) + 1) / 2
    return above / (len(positive) * len(negative))


def out_of_scope_scores(
    expected: Sequence[str], found: Sequence[str], in_scope_scores: Sequence[float], out_of_scope: str
) -> dict[str, float]:
    """Return the metrics of recognizing requests that belong to no class, as Larson et al. (EMNLP 2019) define them.

    Args:
        expected: the right label of each text.
        found: the label that the model gave it.
        in_scope_scores: its largest score of a label other than ``out_of_scope``.
        out_of_scope: the label of texts that belong to no class.

    Returns:
        `in_scope_accuracy` of the texts that belong to a class (out of scope is a wrong answer),
        `out_of_scope_recall`, and `out_of_scope_auroc`: the chance that a text out of scope has a smaller
        in-scope score than one in scope.
    """
    inside = [label != out_of_scope for label in expected]
    pairs = list(zip(expected, found, strict=True))
    scored = list(zip(inside, in_scope_scores, strict=True))
    return {
        "in_scope_accuracy": accuracy(*_columns([pair for pair, scope in zip(pairs, inside, strict=True) if scope])),
        "out_of_scope_recall": accuracy(
            *_columns([pair for pair, scope in zip(pairs, inside, strict=True) if not scope])
        ),
        "out_of_scope_auroc": area_under_roc(
            [score for scope, score in scored if scope], [score for scope, score in scored if not scope]
        ),
    }


def _columns(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [left for left, _ in pairs], [right for _, right in pairs]


def ranks(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the rank of each value from 1 on; equal values share the mean of their ranks."""
    array = np.asarray(values, dtype=np.float64)
    _, group, counts = np.unique(array, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[group.reshape(-1)], dtype=np.float64)


def pearson(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the linear correlation; NaN with fewer than two values or where one side is constant."""
    a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values on one side and {len(b)} on the other")
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float((a @ b) / np.sqrt((a @ a) * (b @ b)))


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the rank correlation (Pearson of the tie-averaged ranks); NaN as :func:`pearson`."""
    return pearson(ranks(left).tolist(), ranks(right).tolist())


# -- answers ---------------------------------------------------------------------------------------

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(text: str) -> str:
    """Return the text in lower case, without punctuation, articles and extra spaces (SQuAD's evaluation script)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(expected: str, found: str) -> float:
    """Return 1.0 if the normalized answers are equal, else 0.0."""
    return float(normalize_answer(expected) == normalize_answer(found))


def token_f1(expected: str, found: str) -> float:
    """Return the F1 of the normalized answers' words (SQuAD 2.0: empty answers must both be empty)."""
    left, right = normalize_answer(expected).split(), normalize_answer(found).split()
    if not left or not right:
        return float(left == right)
    common = sum((Counter(left) & Counter(right)).values())
    return 2 * common / (len(left) + len(right))


# -- entities --------------------------------------------------------------------------------------


def find_entities(tags: Sequence[str]) -> Entities:
    """Return the entities of a sentence's BIO, BIOES or bare tags, by the rules of ``conlleval``.

    A word begins an entity with B- or S-, or where it does not continue an entity of its name: after O, after another
    name, after E- or S-.
    """
    entities: Entities = set()
    open_name, start, closed = "", 0, True
    for index, tag in enumerate([*tags, "O"]):
        prefix, name = _split_tag(tag)
        goes_on = not closed and name == open_name and prefix not in ("B", "S")
        if open_name and not goes_on:
            entities.add((open_name, start, index - 1))
        if name and not goes_on:
            start = index
        open_name, closed = name, prefix in ("E", "S")
    return entities


def _split_tag(tag: str) -> tuple[str, str]:
    """Return prefix and name; a bare name counts as I-, a bare prefix has no name of its own (seqeval: `_`).

    O has no name at all.
    """
    if tag in ("O", ""):
        return "O", ""
    if tag in ("B", "I", "E", "S"):
        return tag, "_"
    if len(tag) > 2 and tag[1] == "-" and tag[0] in "BIES":
        return tag[0], tag[2:]
    return "I", tag


@dataclasses.dataclass(frozen=True)
class EntityCounts:
    """Entities of all sentences.

    Attributes:
        expected: labelled ones.
        found: those of the model.
        right: those that are both, with the same words and the same type.
        words: words of the labelled ones.
        covered: those of them that are in any entity of the model, of whatever type.
    """

    expected: int = 0
    found: int = 0
    right: int = 0
    words: int = 0
    covered: int = 0

    @property
    def recall(self) -> float:
        """Share of the labelled entities that were found; 0 if there are none."""
        return self.right / self.expected if self.expected else 0.0

    @property
    def precision(self) -> float:
        """Share of the found entities that are right; 0 if there are none."""
        return self.right / self.found if self.found else 0.0

    @property
    def coverage(self) -> float:
        """Share of the words of labelled entities that any found one covers; 0 if there are none."""
        return self.covered / self.words if self.words else 0.0


def entity_counts(expected: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> dict[str, EntityCounts]:
    """Count whole entities by type, as seqeval's report does in its default mode.

    Args:
        expected, found: tags of the words of each sentence.

    Returns:
        the counts of each type that occurs in either, by name.
    """
    wanted: Counter[str] = Counter()
    guessed: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    words: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for left, right in zip(expected, found, strict=True):
        labelled, got = find_entities(left), find_entities(right)
        wanted.update(name for name, _, _ in labelled)
        guessed.update(name for name, _, _ in got)
        hits.update(name for name, _, _ in labelled & got)
        places = {place for _, first, last in got for place in range(first, last + 1)}
        for name, first, last in labelled:
            words[name] += last - first + 1
            covered[name] += sum(place in places for place in range(first, last + 1))
    return {
        name: EntityCounts(*(counter[name] for counter in (wanted, guessed, hits, words, covered)))
        for name in sorted(wanted | guessed)
    }


def entity_scores(expected: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of whole entities over all sentences; 0 where there are none."""
    whole = sum_counts(entity_counts(expected, found).values())
    both = whole.precision + whole.recall
    return whole.precision, whole.recall, 2 * whole.precision * whole.recall / both if both else 0.0


def sum_counts(counts: Iterable[EntityCounts]) -> EntityCounts:
    """Return the counts of all types together."""
    types = list(counts)
    names = [field.name for field in dataclasses.fields(EntityCounts)]
    return EntityCounts(*(sum(getattr(each, name) for each in types) for name in names))


# -- rankings --------------------------------------------------------------------------------------


def mean_reciprocal_rank(
    groups: Sequence[Hashable], relevant: Sequence[bool], scores: Sequence[float], cut: int = 10
) -> float:
    """Return the mean over groups of 1 / rank of the first relevant item among the ``cut`` best, else 0.

    Groups without a relevant item do not count. Equal scores rank the irrelevant first.
    """
    members: dict[Hashable, list[tuple[float, bool]]] = {}
    for group, is_relevant, score in zip(groups, relevant, scores, strict=True):
        members.setdefault(group, []).append((-score, is_relevant))
    reciprocals = []
    for member in members.values():
        if any(is_relevant for _, is_relevant in member):
            rank = next(place for place, (_, good) in enumerate(sorted(member), 1) if good)
            reciprocals.append(1 / rank if rank <= cut else 0.0)
    return sum(reciprocals) / len(reciprocals) if reciprocals else float("nan")


def correlations(found: Sequence[float], gold: Sequence[float]) -> dict[str, float]:
    """Return Spearman's and Pearson's correlation by name."""
    return {"spearman": spearman(found, gold), "pearson": pearson(found, gold)}
