"""Golden cases: recorded, replayed, and every kind of difference found."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from linnet.errors import RunFailedError, TrailerDamagedError
from linnet.format.evidence import Evidence, GoldenCase
from linnet.format.golden import DEFAULT_TOLERANCE, STORED_VALUES
from linnet.golden_replay import replay_case, replay_evidence
from tests.support.golden_cases import record_case
from tests.support.sdk_fakes import MASK, PIECES, fake_model, hashed_program, table_program

TASKS = {
    "text-classification": (hashed_program(3), None),
    "token-classification": (hashed_program(3, per_token=True), None),
    "fill-mask": (hashed_program(len(PIECES), per_token=True), None),
    "question-answering": (hashed_program(0, outputs=2), "the cat sat " * 20),
    "text-ranking": (hashed_program(1), "the cat"),
    "feature-extraction": (hashed_program(8), None),
}


@pytest.mark.parametrize("task", TASKS)
def test_a_recorded_case_repeats_after_json(task: str) -> None:
    program, pair = TASKS[task]
    model = fake_model(task, program)
    evidence = Evidence(golden=(record_case(model, "the [MASK] sat", pair),))
    (case,) = Evidence.from_json(json.loads(json.dumps(evidence.to_json(), allow_nan=False))).golden
    assert list(case.ids) == model.tokenize("the [MASK] sat", pair).ids.tolist()
    assert list(case.output) == list(model.manifest.outputs)
    for stored in case.output.values():
        assert len(stored.values) <= STORED_VALUES
    result = replay_case(model, case, DEFAULT_TOLERANCE)
    assert result.problems == ()
    assert result.error < 1e-6


def test_what_a_case_keeps_is_what_the_program_said() -> None:
    model = fake_model("text-classification", table_program([1.25, -3.5, 2.0]))
    assert written(record_case(model, "the cat")) == {
        "text": "the cat",
        "pair": None,
        "ids": [2, 5, 7, 3],
        "type_ids": [0, 0, 0, 0],
        "output": {"logits": {"shape": [3], "values": [1.25, -3.5, 2.0], "argmax": [2], "max": [2.0]}},
    }


@pytest.mark.parametrize(
    ("found", "same"), [([1, 2, 3], True), ([1, 2, 4], True), ([1, 2, 5], True), ([1, 2, 3.5], False)]
)
def test_a_case_of_several_methods_is_repeated_by_any(found: list[float], same: bool) -> None:
    plain, fused, seven = (
        record_case(fake_model("text-classification", table_program(values)), "the cat")
        for values in ([1, 2, 3], [1, 2, 4], [1, 2, 5])
    )
    case = dataclasses.replace(plain, output_fused=fused.output, output_seven_bits=seven.output)
    result = replay_case(fake_model("text-classification", table_program(found)), case, 0.01)
    assert (result.problems == ()) is same
    assert result.error == pytest.approx(0 if same else 0.5 / 4)


def test_only_the_rows_of_masks_count_for_fill_mask() -> None:
    model = fake_model("fill-mask", hashed_program(len(PIECES), per_token=True))
    case = record_case(model, "the [MASK] sat on the [MASK]")
    assert case.ids.count(MASK) == 2
    assert case.output["logits"].shape == (2, len(PIECES))
    assert record_case(model, "no mask").output["logits"].shape == (0, len(PIECES))


def test_the_default_prompt_is_part_of_the_recorded_text() -> None:
    prompts: dict[str, Any] = {"prompt_names": ("query",), "prompts": ("the ",), "default_prompt": "query"}
    model = fake_model("feature-extraction", hashed_program(8), **prompts)
    case = record_case(model, "cat")
    assert case.text == "the cat"
    assert case.output["embedding"].values == pytest.approx(model.encode("cat").tolist(), rel=1e-5)
    assert replay_case(model, case, 1e-6).problems == ()


def test_nan_cannot_be_recorded() -> None:
    with pytest.raises(RunFailedError, match="NaN"):
        record_case(fake_model("text-classification", table_program([1, np.nan, 0])), "x")


# -- differences -----------------------------------------------------------------------------------


def written(case: GoldenCase) -> Any:
    return Evidence(golden=(case,)).to_json()["golden"][0]


def recorded(*values: float) -> GoldenCase:
    return record_case(fake_model("text-classification", table_program(values)), "the cat")


def replayed(case: Any, *values: float, tolerance: float = 0.01) -> Any:
    return replay_case(fake_model("text-classification", table_program(values)), case, tolerance)


@pytest.mark.parametrize("field", ["ids", "type_ids"])
def test_other_tokens_are_found_with_their_place(field: str) -> None:
    case = recorded(1, 2, 3)
    first, second, *others = getattr(case, field)
    changes: dict[str, Any] = {field: (first, second + 1, *others)}
    case = dataclasses.replace(case, **changes)
    result = replayed(case, 1, 2, 3)
    assert len(result.problems) == 1
    assert result.problems[0].startswith(f"{field} differ from token 1 on")
    assert np.isnan(result.error)


def test_values_differ_beyond_the_tolerance() -> None:
    case = recorded(1, 2, 3)
    assert replayed(case, 1.02, 2, 3).problems == ()  # 0.02 of the largest, 3: 0.0067
    result = replayed(case, 1.2, 2, 3)
    assert "off by 0.0667" in result.problems[0]
    assert result.error == pytest.approx(0.2 / 3)


def test_nan_on_the_device_is_a_difference() -> None:
    assert replayed(recorded(1, 2, 3), 1, np.nan, 3).problems


def test_another_winner_counts_only_beyond_rounding() -> None:
    case = recorded(1.000, 1.001, 0)
    assert replayed(case, 1.002, 1.000, 0).problems == ()
    result = replayed(case, 1.5, 1.001, 0)
    assert any("largest value at 0 instead of 1" in problem for problem in result.problems)


def test_differences_behind_the_stored_values_are_found_by_the_winner() -> None:
    values = np.zeros(200)
    values[150] = 3
    names = tuple(f"L{index}" for index in range(200))
    model = fake_model("text-classification", table_program(values), labels=names)
    case = record_case(model, "x")
    values[150], values[160] = 0, 3
    result = replay_case(model_of(values, names), case, 0.01)
    assert len(result.problems) == 2


def model_of(values: Any, names: tuple[str, ...]) -> Any:
    return fake_model("text-classification", table_program(values), labels=names)


def test_another_shape_and_a_missing_output_are_found() -> None:
    case = recorded(1, 2, 3)
    assert "has the shape" in replayed(case, 1, 2).problems[0]
    case = dataclasses.replace(case, output={**case.output, "other": case.output["logits"]})
    assert replayed(case, 1, 2, 3).problems == ("there is no output other",)


# -- the evidence ----------------------------------------------------------------------------------


def evidence_model(evidence: Any, *values: float) -> Any:
    return fake_model("text-classification", table_program(values), evidence=json.dumps(evidence))


def test_evidence_brings_its_tolerance() -> None:
    evidence: dict[str, Any] = {"golden": [written(recorded(1, 2, 3))], "tolerance": {"absolute": 0.5}}
    assert replay_evidence(evidence_model(evidence, 1.2, 2, 3))[0].problems == ()
    evidence["tolerance"] = {"absolute": 1e-3}
    assert replay_evidence(evidence_model(evidence, 1.2, 2, 3))[0].problems


@pytest.mark.parametrize("evidence", [{}, {"golden": []}, {"golden": None, "tolerance": None}])
def test_a_file_without_cases_has_no_results(evidence: Any) -> None:
    assert replay_evidence(evidence_model(evidence, 1, 2, 3)) == []


@pytest.mark.parametrize(
    "path", [["text"], ["ids"], ["output"], ["output", "logits", "shape"], ["output", "logits", "values"]]
)
def test_a_case_of_a_wrong_form_is_damage(path: list[str]) -> None:
    case = written(recorded(1, 2, 3))
    parent = case
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    with pytest.raises(TrailerDamagedError, match="wrong form"):
        replay_evidence(evidence_model({"golden": [case]}, 1, 2, 3))


@pytest.mark.parametrize(
    "evidence", [{"golden": 3}, {"golden": ["x"]}, {"golden": [{}], "tolerance": {"absolute": "x"}}]
)
def test_evidence_of_a_wrong_form_is_damage(evidence: Any) -> None:
    with pytest.raises(TrailerDamagedError):
        replay_evidence(evidence_model(evidence, 1, 2, 3))
