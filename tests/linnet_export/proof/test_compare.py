"""Figures of a proof against hand calculations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from linnet_export.proof.budget import Budget, default_budget
from linnet_export.proof.compare import compare
from linnet_export.proof.reference import Reference
from linnet_export.tasks import get_task


def reference(answerable: list[bool] | None = None, **outputs: Any) -> Reference:
    arrays = {name: np.asarray(values, dtype=np.float32) for name, values in outputs.items()}
    flags = np.asarray(answerable if answerable is not None else [True], dtype=np.bool_)
    return Reference(np.zeros(len(flags), dtype=np.int64), flags, arrays)


def outputs(**values: Any) -> dict[str, Any]:
    return {name: np.asarray(value, dtype=np.float32) for name, value in values.items()}


def test_cosines() -> None:
    found = compare(
        get_task("feature-extraction"),
        False,
        [reference(embedding=[1, 0]), reference(embedding=[3, 4])],
        [outputs(embedding=[1, 0]), outputs(embedding=[4, 3])],
    )
    assert found.figures["cosine_worst"] == pytest.approx(24 / 25)
    assert found.figures["cosine_mean"] == pytest.approx((1 + 24 / 25) / 2)
    assert found.figures["max_error"] == pytest.approx(1 / 4)  # |3 - 4| over the largest value, 4
    assert found.wrongness.argmax() == 1


def test_a_class_that_changes() -> None:
    references = [reference(logits=[0, 1]), reference(logits=[2, 1])]
    found = compare(
        get_task("text-classification"), False, references, [outputs(logits=[0, 9]), outputs(logits=[0, 1])]
    )
    assert found.figures["agreement"] == 0.5
    assert found.wrongness.argmax() == 1


def test_labels_must_all_agree() -> None:
    references = [reference(logits=[1, -1, 1])] * 2
    measured = [outputs(logits=[2, -2, 2]), outputs(logits=[1, -1, -1])]
    assert compare(get_task("text-classification"), True, references, measured).figures["agreement"] == 0.5


def test_tags_count_tokens_of_the_text_only() -> None:
    tags = reference([False, True, True, False], logits=[[0, 1], [1, 0], [1, 0], [1, 0]])
    found = compare(get_task("token-classification"), False, [tags], [outputs(logits=[[1, 0], [1, 0], [0, 1], [0, 1]])])
    assert found.figures["agreement"] == 0.5


def test_spans_stay_in_the_context_and_in_order() -> None:
    # the best start is behind the best end, and the question has the largest values: neither may be taken
    start, end = [9, 9, 1, 0, 3], [9, 9, 0, 3, 1]
    span = reference([False, False, True, True, True], start_logits=start, end_logits=end)
    same = outputs(start_logits=[0, 0, 1, 0, 3], end_logits=[0, 0, 0, 3, 1])  # both answer 2..3 or 4..4: a tie at 4
    other = outputs(start_logits=[0, 0, 0, 5, 0], end_logits=[0, 0, 0, 5, 0])
    assert compare(get_task("question-answering"), False, [span], [same]).figures["agreement"] == 1.0
    assert compare(get_task("question-answering"), False, [span], [other]).figures["agreement"] == 0.0


def test_one_score_is_judged_by_its_order() -> None:
    references = [reference(logits=[value]) for value in (1.0, 2.0, 3.0)]
    measured = [outputs(logits=[value]) for value in (1.0, 5.0, 4.0)]
    assert compare(get_task("text-ranking"), False, references, measured).figures["agreement"] == pytest.approx(2 / 3)


def test_not_a_number_is_an_infinite_error() -> None:
    found = compare(get_task("text-classification"), False, [reference(logits=[0, 1])], [outputs(logits=[0, np.nan])])
    assert found.figures["max_error"] == np.inf
    assert Budget(max_error=1e9).violations(found.figures)


def test_budgets() -> None:
    assert default_budget(get_task("fill-mask"), True, {}) == Budget(max_error=1e-4)
    assert default_budget(get_task("feature-extraction"), False, {}) == Budget(cosine_mean=0.99, cosine_worst=0.97)
    changed = default_budget(get_task("text-classification"), False, {"agreement": 0.9})
    assert changed == Budget(agreement=0.9)
    assert changed.violations({"agreement": 0.9, "max_error": 3.0}) == []
    assert changed.violations({"agreement": 0.875}) == ["expected agreement of at least 0.9000, got 0.8750"]
    assert changed.violations({"agreement": float("nan")}) != []
    assert "not measured" in Budget(cosine_mean=0.5).violations({"agreement": 1.0})[0]
