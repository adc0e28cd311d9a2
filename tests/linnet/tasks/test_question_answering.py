"""Question answering: transformers 4's own answers, and cases worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.errors import InvalidArgumentError, TextTooLongError
from tests.support.sdk_fakes import CLS, PIECES, f32, fake_model, hashed_program, table_program

CASES = json.loads((Path(__file__).parent / "golden" / "question_answering.json").read_text(encoding="utf-8"))["cases"]
TASK = "question-answering"


def recorded_program(windows: list[dict[str, Any]]) -> Any:
    """The case's logits, looked up by the ids of each window; other ids are a KeyError."""
    table = {tuple(window["ids"]): window for window in windows}

    def program(ids: Any, types: Any) -> list[Any]:
        window = table[tuple(ids.tolist())]
        return [f32(window["start"]), f32(window["end"])]

    return program


def check(found: Any, expected: Any) -> None:
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for left, right in zip(found, expected, strict=True):
            check(left, right)
        return
    assert list(found) == list(expected) == ["score", "start", "end", "answer"]
    assert {**found, "score": 0} == {**expected, "score": 0}
    assert found["score"] == pytest.approx(expected["score"], rel=1e-5)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['question']}-{case['options']}")
def test_same_answers_as_transformers_4(case: dict[str, Any]) -> None:
    model = fake_model(TASK, recorded_program(case["windows"]), max_length=64)
    found = model(question=case["question"], context=case["context"], **case["options"])
    check(found, case["answer"])


def test_the_recorded_cases_have_windows_and_lists() -> None:
    assert sum(len(case["windows"]) > 1 for case in CASES) > 5
    assert sum(isinstance(case["answer"], list) for case in CASES) > 20


def probabilities(*logits: float) -> Any:
    values = np.exp(np.array(logits))
    return values / values.sum()


def test_a_worked_example() -> None:
    # [CLS] what ? [SEP] ada sat in paris [SEP]
    start = [0.0, 9, 9, 9, 1, 0, 0, 2, 9]
    end = [0.0, 9, 9, 9, 0, 0, 0, 3, 9]
    model = fake_model(TASK, table_program(start, end))
    answer = model(question="what?", context="Ada sat in Paris")
    # only [CLS] and the four words count: logits 0 | 1 0 0 2 and 0 | 0 0 0 3
    expected = probabilities(0, 1, 0, 0, 2)[4] * probabilities(0, 0, 0, 0, 3)[4]
    assert answer == {"score": pytest.approx(expected, rel=1e-5), "start": 11, "end": 16, "answer": "Paris"}


def test_the_impossible_answer_is_the_product_at_the_first_token() -> None:
    start = end = [5.0, 0, 0, 0, 0, 0, 0, 0, 0]
    model = fake_model(TASK, table_program(start, end))
    answer = model(question="what?", context="Ada sat in Paris", handle_impossible_answer=True)
    expected = probabilities(5, 0, 0, 0, 0)[0] ** 2
    assert answer == {"score": pytest.approx(expected, rel=1e-5), "start": 0, "end": 0, "answer": ""}


def test_an_answer_is_widened_to_whole_words() -> None:
    # [CLS] what [SEP] micro ##soft is new [SEP]: the best single token is ##soft
    scores = [0.0, 0, 0, 0, 8, 0, 0, 0]
    model = fake_model(TASK, table_program(scores, scores))
    assert model(question="what", context="Microsoft is new")["answer"] == "Microsoft"
    assert model(question="what", context="Microsoft is new", align_to_words=False)["answer"] == "soft"


def test_a_special_token_in_the_question_is_no_answer() -> None:
    model = fake_model(TASK, lambda ids, types: [f32(np.where(ids == CLS, 9, 0))] * 2)
    answers = model(question="[CLS] who [CLS]", context="the old cat", top_k=5)
    assert all(answer["answer"] in ("the", "old", "cat", "the old", "old cat", "the old cat", "") for answer in answers)
    assert all(answer["start"] <= answer["end"] for answer in answers)


def test_the_best_spans_by_hand() -> None:
    # context tokens 0 to 3: "the old cat sat"; the logits are logarithms of these probabilities, 0 elsewhere
    start, end = [1e-9, 0.5, 0.3, 0.2], [1e-9, 0.1, 0.2, 0.7]
    words = "the old cat sat".split()

    def program(ids: Any, types: Any) -> list[Any]:
        context = types == 1
        logits = []
        for probabilities in (start, end):
            row = np.full(len(ids), -30.0)
            row[np.flatnonzero(context)[: len(words)]] = np.log(probabilities)
            logits.append(f32(row))
        return logits

    def spans(top_k: int, longest: int) -> list[str]:
        answers = fake_model(TASK, program)(
            question="who", context=" ".join(words), top_k=top_k, max_answer_len=longest
        )
        return [answer["answer"] for answer in answers]

    # 1-3: .35, 2-3: .21, 3-3: .14, 1-2: .10, 2-2: .06, 1-1: .05
    assert spans(6, 4) == ["old cat sat", "cat sat", "sat", "old cat", "cat", "old"]
    assert spans(2, 2) == ["cat sat", "sat"]


FORMS = [
    ({"question": "what", "context": "the cat"}, {}, "dict"),
    (None, {"question": "what", "context": "the cat"}, "dict"),
    ([{"question": "what", "context": "the cat"}], {}, "dict"),
    ([{"question": "what", "context": "the cat"}] * 2, {}, "list"),
    (None, {"question": ["what", "who"], "context": "the cat"}, "list"),
    (None, {"question": ["what", "who"], "context": ["the cat", "a dog"]}, "list"),
]


@pytest.mark.parametrize(("inputs", "options", "kind"), FORMS)
def test_forms_of_the_call(inputs: Any, options: dict[str, Any], kind: str) -> None:
    model = fake_model(TASK, hashed_program(0, outputs=2))
    answers = model(inputs, **options)
    assert type(answers).__name__ == kind
    if kind == "list":
        single = [options] if options else inputs
        questions = single[0]["question"] if options else [given["question"] for given in inputs]
        contexts = single[0]["context"] if options else [given["context"] for given in inputs]
        contexts = [contexts] * len(questions) if isinstance(contexts, str) else contexts
        assert answers == [model(question=q, context=c) for q, c in zip(questions, contexts, strict=True)]


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ("text", {}, "question="),
        (None, {"question": "what"}, "context is missing"),
        (None, {"context": "what"}, "question is missing"),
        (None, {"question": "", "context": "x"}, "question of the input is empty"),
        (None, {"question": "x", "context": ""}, "context of the input is empty"),
        (None, {"question": ["x", 3], "context": "y"}, r"question of inputs\[1\] is an int"),
        (None, {"question": ["x"], "context": ["y", "z"]}, "1 questions but 2 contexts"),
        ([{"question": "x"}], {}, r"inputs\[0\] is a dict"),
        ({"question": "x", "context": "y"}, {"top_k": 0}, "top_k is 0"),
        ({"question": "x", "context": "y"}, {"max_answer_len": 0}, "max_answer_len is 0"),
        ({"question": "x", "context": "y"}, {"max_seq_len": 999}, "at most 24"),
        ({"question": "x", "context": "y"}, {"max_seq_len": 8, "doc_stride": 9}, "doc_stride is 9"),
        ({"question": "x", "context": "y"}, {"topk": 2}, "unknown option topk"),
        (None, {}, "question is missing"),
    ],
)
def test_wrong_calls_are_named(inputs: Any, options: dict[str, Any], message: str) -> None:
    model = fake_model(TASK, hashed_program(0, outputs=2))
    with pytest.raises(InvalidArgumentError, match=message):
        model(inputs, **options)


def test_a_long_context_is_read_in_windows_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    model = fake_model(TASK, hashed_program(0, outputs=2))
    context = " ".join(PIECES[5:40]) * 3
    answer = model(question="what", context=context)
    assert context[answer["start"] : answer["end"]] == answer["answer"]
    assert not recwarn.list
    assert len(model._runtime.calls) > 5  # type: ignore[attr-defined]
    with pytest.raises(TextTooLongError):
        model(question="what", context=context, truncation=False)


def test_the_best_answer_can_stand_in_any_window() -> None:
    def program(ids: Any, types: Any) -> list[Any]:
        score = np.where(ids == PIECES.index("bridge"), 9.0, 0.0)
        return [score, score]

    model = fake_model(TASK, program)
    context = "the cat sat on the mat . " * 10 + "the old bridge . " + "a dog sat . " * 10
    answer = model(question="what", context=context)
    assert (answer["answer"], answer["start"]) == ("bridge", context.index("bridge"))
