"""Metrics against scipy, scikit-learn and cases worked out by hand."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet_bench.accuracy import metrics

stats = pytest.importorskip("scipy.stats")
sklearn = pytest.importorskip("sklearn.metrics")

numbers = st.lists(st.tuples(st.integers(-5, 5), st.floats(-1e3, 1e3, width=32)), min_size=2, max_size=40)
labels = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1, max_size=40)


@settings(deadline=None)
@given(numbers)
def test_ranks_and_correlations_equal_scipy(pairs: list[tuple[int, float]]) -> None:
    left, right = [float(a) for a, _ in pairs], [b for _, b in pairs]
    np.testing.assert_array_equal(metrics.ranks(left), stats.rankdata(left))
    np.testing.assert_array_equal(metrics.ranks(right), stats.rankdata(right))
    if len(set(left)) == 1 or len(set(right)) == 1:
        assert math.isnan(metrics.spearman(left, right))
        return
    assert metrics.spearman(left, right) == pytest.approx(stats.spearmanr(left, right).statistic, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=30))
def test_pearson_equals_scipy(pairs: list[tuple[int, int]]) -> None:
    left, right = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    if len(set(left)) > 1 and len(set(right)) > 1:
        assert metrics.pearson(left, right) == pytest.approx(stats.pearsonr(left, right).statistic, abs=1e-9)


def test_spearman_with_ties_by_hand() -> None:
    # ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5
    assert metrics.spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert metrics.ranks([10, 30, 20, 20]).tolist() == [1, 4, 2.5, 2.5]


def test_correlations_without_meaning_are_nan() -> None:
    assert math.isnan(metrics.pearson([1], [2]))
    assert math.isnan(metrics.spearman([], []))
    assert math.isnan(metrics.pearson([1, 1], [1, 2]))
    with pytest.raises(ValueError, match="2 values on one side and 3"):
        metrics.pearson([1, 2], [1, 2, 3])


@settings(deadline=None)
@given(labels)
def test_accuracy_and_macro_f1_equal_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    expected, found = [a for a, _ in pairs], [b for _, b in pairs]
    assert metrics.accuracy(expected, found) == pytest.approx(sklearn.accuracy_score(expected, found))
    macro = sklearn.f1_score(expected, found, average="macro", zero_division=0)
    assert metrics.macro_f1(expected, found) == pytest.approx(macro)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc"))), min_size=1, max_size=20))
def test_multi_label_f1_equals_scikit_learn(pairs: list[tuple[set[str], set[str]]]) -> None:
    occurring = sorted({label for pair in pairs for side in pair for label in side})
    micro, macro = metrics.multi_label_f1([a for a, _ in pairs], [b for _, b in pairs])
    if not occurring:
        assert math.isnan(micro)
        assert math.isnan(macro)
        return
    # the empty last column keeps scikit-learn from taking one label for a binary problem
    columns = [*occurring, ""]
    true, guessed = ([[label in side for label in columns] for side in sides] for sides in zip(*pairs, strict=True))
    options = {"labels": list(range(len(occurring))), "zero_division": 0}
    assert micro == pytest.approx(sklearn.f1_score(true, guessed, average="micro", **options))
    assert macro == pytest.approx(sklearn.f1_score(true, guessed, average="macro", **options))


# -- SQuAD: the cases follow the published evaluation script ---------------------------------------


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("The  Cat's", "cats"),
        ("an apple, a pear!", "apple pear"),
        ("theatre", "theatre"),
        ("", ""),
        ("A", ""),
    ],
)
def test_normalized_answers(text: str, normalized: str) -> None:
    assert metrics.normalize_answer(text) == normalized


@pytest.mark.parametrize(
    ("expected", "found", "exact", "f1"),
    [
        ("the cat", "Cat.", 1, 1),
        ("red cat", "cat", 0, 2 / 3),
        ("cat cat dog", "cat bird", 0, 2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3)),
        ("", "", 1, 1),
        ("", "cat", 0, 0),
        ("cat", "", 0, 0),
        ("cat", "dog", 0, 0),
    ],
)
def test_answers(expected: str, found: str, exact: float, f1: float) -> None:
    assert metrics.exact_match(expected, found) == exact
    assert metrics.token_f1(expected, found) == pytest.approx(f1)


# -- entities: by the rules of conlleval -----------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("O B-PER I-PER O", {("PER", 1, 2)}),
        ("B-PER B-PER", {("PER", 0, 0), ("PER", 1, 1)}),
        ("I-PER I-PER", {("PER", 0, 1)}),
        ("B-PER I-LOC", {("PER", 0, 0), ("LOC", 1, 1)}),
        ("O I-LOC O I-LOC", {("LOC", 1, 1), ("LOC", 3, 3)}),
        ("B-PER I-PER E-PER I-PER", {("PER", 0, 2), ("PER", 3, 3)}),
        ("S-PER S-PER O", {("PER", 0, 0), ("PER", 1, 1)}),
        ("PER PER O LOC", {("PER", 0, 1), ("LOC", 3, 3)}),
        ("B-creative-work I-creative-work", {("creative-work", 0, 1)}),
        ("B I O B B", {("_", 0, 1), ("_", 3, 3), ("_", 4, 4)}),  # without types, as seqeval 1.2.2
        ("I O S E", {("_", 0, 0), ("_", 2, 2), ("_", 3, 3)}),
        ("B I-PER", {("_", 0, 0), ("PER", 1, 1)}),
        ("O O", set()),
        ("", set()),
    ],
)
def test_entities(tags: str, entities: set[tuple[str, int, int]]) -> None:
    assert metrics.find_entities(tags.split()) == entities


def test_entity_scores_by_hand() -> None:
    expected = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"]]
    found = [["B-PER", "O", "O", "B-LOC"], ["B-PER", "B-LOC"]]
    # right: two LOC; guessed: PER, LOC, PER, LOC; wanted: PER, LOC, LOC
    assert metrics.entity_scores(expected, found) == pytest.approx((2 / 4, 2 / 3, 4 / 7))
    assert metrics.entity_scores([["O"]], [["O"]]) == (0, 0, 0)


def test_mean_reciprocal_rank_by_hand() -> None:
    groups = ["a", "a", "a", "b", "b", "c"]
    relevant = [False, True, True, True, False, False]
    scores = [0.9, 0.5, 0.1, 0.2, 0.2, 1.0]
    # a: rank 2; b: equal scores, the irrelevant first, so rank 2; c has nothing relevant
    assert metrics.mean_reciprocal_rank(groups, relevant, scores) == pytest.approx(0.5)
    assert metrics.mean_reciprocal_rank(groups, relevant, scores, cut=1) == 0
    assert math.isnan(metrics.mean_reciprocal_rank(["a"], [False], [1.0]))


def test_area_under_roc_is_scikit_learns() -> None:
    generator = random.Random(0)
    scores = [round(generator.random(), 1) for _ in range(200)]  # rounded, so that there are ties
    truth = [generator.random() < score for score in scores]
    expected = sklearn.roc_auc_score(truth, scores)
    found = metrics.area_under_roc(
        [score for score, positive in zip(scores, truth, strict=True) if positive],
        [score for score, positive in zip(scores, truth, strict=True) if not positive],
    )
    assert found == pytest.approx(expected)
    assert math.isnan(metrics.area_under_roc([], [1.0]))


def test_out_of_scope_by_hand() -> None:
    found = metrics.out_of_scope_scores(
        ["a", "a", "b", "oos", "oos"], ["a", "oos", "b", "oos", "b"], [0.9, 0.4, 0.8, 0.3, 0.5], "oos"
    )
    assert found == {
        "in_scope_accuracy": pytest.approx(2 / 3),
        "out_of_scope_recall": 0.5,
        # of the six pairs of a text in scope and one out of it, (0.4, 0.5) is the wrong way round
        "out_of_scope_auroc": pytest.approx(5 / 6),
    }
