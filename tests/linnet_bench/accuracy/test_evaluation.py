"""Measuring a model on rows: each task over a program whose right answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.cli.main import main
from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet_bench.accuracy.datasets import Columns, Table, read_rows
from linnet_bench.accuracy.evaluation import Evaluation, evaluate
from tests.support.sdk_fakes import MASK, PIECES, f32, fake_model


def token(word: str) -> int:
    return PIECES.index(word)


def measure(model: Model, columns: tuple[str, str | None, str], rows: list[dict[str, Any]]) -> Evaluation:
    return evaluate(model, Table("data", tuple(rows)), Columns(*columns))


def animal_classifier(**changes: Any) -> Model:
    """LABEL_0 for a cat, LABEL_1 for a dog, else LABEL_2."""

    def program(ids: Any, types: Any) -> list[Any]:
        cat, dog = token("cat") in ids, token("dog") in ids
        return [f32([4.0 * cat, 4.0 * dog, 1.0])]

    return fake_model("text-classification", program, **changes)


def test_text_classification() -> None:
    rows: list[dict[str, Any]] = [
        {"text": "the cat", "label": "LABEL_0"},
        {"text": "a dog", "label": 1.0},
        {"text": "rain", "label": "2"},
        {"text": "sun", "label": "LABEL_0"},
    ]
    result = measure(animal_classifier(), ("text", None, "label"), rows)
    assert result.metrics["accuracy"] == 0.75
    # F1 of 0: 2/3, of 1: 1, of 2: 2/3
    assert result.metrics["macro_f1"] == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert (result.task, result.rows, result.truncated) == ("text-classification", 4, 0)


def test_several_labels_a_text() -> None:
    rows: list[dict[str, Any]] = [
        {"text": "the cat and the dog", "label": ["LABEL_0", "LABEL_1", "LABEL_2"]},
        {"text": "the cat", "label": ["LABEL_1"]},
    ]
    result = measure(animal_classifier(score_function="sigmoid"), ("text", None, "label"), rows)
    # a label passes from 0.5 on, and sigmoid(0) is 0.5: every label is found twice
    assert result.metrics["micro_f1"] == pytest.approx(2 * 4 / (4 + 6))
    assert result.metrics["exact_match"] == 0.5


def test_regression_is_a_correlation() -> None:
    def program(ids: Any, types: Any) -> list[Any]:
        return [f32([len(ids)])]

    model = fake_model("text-classification", program, labels=("LABEL_0",), score_function="none")
    rows: list[dict[str, Any]] = [
        {"text": "a", "label": 1},
        {"text": "a b", "label": "2"},
        {"text": "a b c", "label": 3.0},
    ]
    assert measure(model, ("text", None, "label"), rows).metrics == pytest.approx({"spearman": 1, "pearson": 1})


def test_token_classification_takes_the_first_token_of_each_word() -> None:
    names = ("O", "B-PER", "I-PER")

    def program(ids: Any, types: Any) -> list[Any]:
        logits = np.zeros((len(ids), 3))
        logits[ids == token("ada"), 1] = 5
        logits[ids == token("micro"), 1] = 5
        logits[ids == token("##soft"), 2] = 9
        return [logits]

    model = fake_model("token-classification", program, labels=names)
    rows: list[dict[str, Any]] = [
        {"tokens": ["Ada", "wrote", "Microsoft", "\u200b"], "tags": ["B-PER", "O", "B-PER", 0]},
        {"tokens": ["a", "cat"], "tags": ["B-PER", "O"]},
    ]
    result = measure(model, ("tokens", None, "tags"), rows)
    assert result.metrics["precision"] == 1
    assert result.metrics["recall"] == pytest.approx(2 / 3)
    assert result.metrics["f1"] == pytest.approx(0.8)
    assert result.metrics["accuracy"] == pytest.approx(5 / 6)


def test_words_behind_the_bound_count_as_o_and_are_reported() -> None:
    def program(ids: Any, types: Any) -> list[Any]:
        return [np.tile(f32([0, 5, 0]), (len(ids), 1))]

    model = fake_model("token-classification", program, labels=("O", "B-PER", "I-PER"), max_length=5)
    rows: list[dict[str, Any]] = [{"tokens": ["a", "b", "c", "d", "e"], "tags": ["B-PER"] * 5}]
    result = measure(model, ("tokens", None, "tags"), rows)
    assert result.metrics["recall"] == pytest.approx(3 / 5)
    assert result.truncated == 1


def finder(word: str) -> Model:
    def program(ids: Any, types: Any) -> list[Any]:
        score = np.where(ids == token(word), 9.0, 0.0)
        return [score, score]

    return fake_model("question-answering", program)


def test_question_answering() -> None:
    rows: list[dict[str, Any]] = [
        {"question": "who", "context": "Ada sat", "answers": {"text": ["ada", "x"], "answer_start": [0, 0]}},
        {"question": "who", "context": "the old Ada", "answers": ["old Ada"]},
        {"question": "who", "context": "Ada wrote", "answers": "book"},
    ]
    result = measure(finder("ada"), ("question", "context", "answers"), rows)
    assert result.metrics == pytest.approx({"exact_match": 1 / 3, "f1": (1 + 2 / 3 + 0) / 3})


def test_unanswerable_questions_let_the_empty_answer_compete() -> None:
    rows: list[dict[str, Any]] = [
        {"question": "who", "context": "the cat", "answers": []},
        {"question": "who", "context": "Ada sat", "answers": ["Ada"]},
    ]

    def program(ids: Any, types: Any) -> list[Any]:
        score = np.where(ids == token("ada"), 9.0, 0.0)
        score[0] = 4.0
        return [score, score]

    result = measure(fake_model("question-answering", program), ("question", "context", "answers"), rows)
    assert result.metrics == {"exact_match": 1, "f1": 1}


def test_fill_mask() -> None:
    def program(ids: Any, types: Any) -> list[Any]:
        logits = np.zeros((len(ids), len(PIECES)))
        logits[ids == MASK] = -np.arange(len(PIECES))
        logits[ids == MASK, token("cat")] = 9
        logits[ids == MASK, token("dog")] = 5
        return [logits]

    rows: list[dict[str, Any]] = [
        {"text": "a [MASK]", "label": "Cat"},
        {"text": "a [MASK]", "label": "dog"},
        {"text": "a [MASK]", "label": "sun"},
    ]
    result = measure(fake_model("fill-mask", program), ("text", None, "label"), rows)
    assert result.metrics == pytest.approx({"accuracy": 1 / 3, "accuracy_top5": 2 / 3})


def test_embeddings_correlate_by_cosine() -> None:
    def program(ids: Any, types: Any) -> list[Any]:
        return [f32([token("cat") in ids, token("dog") in ids, 1, 0, 0, 0, 0, 0])]

    rows: list[dict[str, Any]] = [
        {"0": "the cat", "1": "a cat", "2": "5"},  # cosine 1
        {"0": "the cat", "1": "cat and dog", "2": "4"},  # 2 / sqrt(6)
        {"0": "the cat", "1": "a dog", "2": "3"},  # 1 / 2
    ]
    result = measure(fake_model("feature-extraction", program), ("0", "1", "2"), rows)
    cosines = [1, 2 / 6**0.5, 0.5]
    assert result.metrics["spearman"] == pytest.approx(1)
    assert result.metrics["pearson"] == pytest.approx(np.corrcoef(cosines, [5, 4, 3])[0, 1])


def test_ranking_has_a_reciprocal_rank_for_relevance_labels() -> None:
    def program(ids: Any, types: Any) -> list[Any]:
        return [f32([len(ids)])]

    rows: list[dict[str, Any]] = [
        {"query": "a", "passage": "b", "label": 1},
        {"query": "a", "passage": "b c", "label": 0},
        {"query": "d", "passage": "b c d", "label": 1},
    ]
    model = fake_model("text-ranking", program)
    assert measure(model, ("query", "passage", "label"), rows).metrics["mrr_at_10"] == pytest.approx(0.75)
    graded = [{**row, "label": index + 1} for index, row in enumerate(rows)]
    assert measure(model, ("query", "passage", "label"), graded).metrics == {"spearman": pytest.approx(1)}


def test_progress_reaches_the_end() -> None:
    reports: list[tuple[int, int]] = []
    rows = tuple({"text": "the cat", "label": "LABEL_0"} for _ in range(150))
    evaluate(animal_classifier(), Table("data", rows), Columns("text", None, "label"), lambda *at: reports.append(at))
    assert reports == [(64, 150), (128, 150), (150, 150)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "a", "label": "LABEL_0"}, {"text": "b", "label": "nope"}], "data, row 2: label 'nope' is none"),
        ([{"text": "a", "label": "7"}], "row 1: label '7'"),
        ([{"text": 3, "label": "LABEL_0"}], "row 1: text is 3, expected a str"),
        ([{"text": "a"}], "row 1: label is missing"),
    ],
)
def test_wrong_rows_are_named(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        measure(animal_classifier(), ("text", None, "label"), rows)


def test_every_wrong_row_is_named_before_anything_runs() -> None:
    rows: list[dict[str, Any]] = [
        {"text": "a", "label": "nope"},
        {"text": "a", "label": "LABEL_0"},
        {"text": 3, "label": 9},
    ]
    with pytest.raises(InvalidArgumentError) as caught:
        measure(fake_model("text-classification", lambda *_: pytest.fail("it ran")), ("text", None, "label"), rows)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "data",
        *["  row 1"],
        *["  row 3"] * 2,
    ]


def test_broken_lines_are_named_beside_wrong_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": "nope"}\n{oops\n{"text": "a"}\n')
    table, wrong = read_rows(path)
    with pytest.raises(InvalidArgumentError) as caught:
        evaluate(animal_classifier(), table, Columns("text", None, "label"), wrong=wrong)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  line 1",
        "  line 2",
        "  line 3",
    ]


def test_what_a_task_needs_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match="--pair-column"):
        measure(finder("ada"), ("question", None, "answers"), [{"question": "a", "answers": "b"}])
    with pytest.raises(InvalidArgumentError, match="no answer"):
        measure(finder("ada"), ("q", "c", "a"), [{"q": "a", "c": "b", "a": 3}])
    with pytest.raises(InvalidArgumentError, match="'x' is no number"):
        measure(fake_model("text-ranking", lambda *_: []), ("q", "p", "l"), [{"q": "a", "p": "b", "l": "x"}])


def test_nan_becomes_null() -> None:
    assert Evaluation("t", 1, {"x": float("nan"), "y": 0.5}, 0).to_json()["metrics"] == {"x": None, "y": 0.5}


def test_out_of_scope_is_measured_where_the_labels_have_it() -> None:
    rows: list[dict[str, Any]] = [
        {"text": "the cat", "label": "cat"},
        {"text": "a dog", "label": "dog"},
        {"text": "rain", "label": "oos"},
        {"text": "the cat and the dog", "label": "oos"},
    ]
    result = measure(animal_classifier(labels=("cat", "dog", "oos")), ("text", None, "label"), rows)
    assert result.metrics["in_scope_accuracy"] == 1
    assert result.metrics["out_of_scope_recall"] == 0.5
    assert result.metrics["accuracy"] == 0.75
    # best in-scope scores: cat and dog alone e^4/(e^4+1+e), rain 1/(2+e), both e^4/(2e^4+e): each above each
    assert result.metrics["out_of_scope_auroc"] == 1
    within = measure(animal_classifier(labels=("cat", "dog", "oos")), ("text", None, "label"), rows[:2])
    assert set(within.metrics) == {"accuracy", "macro_f1"}


def at_least(limit: str, rows: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    model = animal_classifier(labels=("cat", "dog", "oos"))
    monkeypatch.setattr("linnet_bench.accuracy.command.load", lambda *_, **__: model)
    assert main(["eval", "x.pte", "--data", str(rows), "--at-least", limit]) == 2
    return capsys.readouterr().err


def test_a_limit_that_cannot_be_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a", "label": "cat"}\n')
    said = at_least("in_scope_accuracy=1", rows, monkeypatch, capsys)
    assert "--at-least names in_scope_accuracy, text-classification of these rows has accuracy, macro_f1" in said
    monkeypatch.setattr("linnet_bench.accuracy.command.evaluate", lambda *_: pytest.fail("it was measured"))
    said = at_least("foo=1", rows, monkeypatch, capsys)
    assert "--at-least names foo, text-classification has accuracy, macro_f1, in_scope_accuracy" in said
    assert "--at-least is 'accuracy', expected METRIC=VALUE" in at_least("accuracy", rows, monkeypatch, capsys)
    assert "expected a number for the value" in at_least("accuracy=nan", rows, monkeypatch, capsys)
