"""Lowered programs compute what the device modules compute, and say truly what is in them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from linnet_export.graph.program import DeviceProgram, device_module
from linnet_export.lower import lowering
from linnet_export.lower.lowering import LoweringError, LowerResult, ProgramFacts, lower
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, Case, random_ids

Models = Callable[[Case, str], Any]
Runner = Callable[[bytes, str], Callable[..., list[Tensor]]]

LENGTHS = (2, 3, 17, MAX_LENGTH)
MAX_BATCH = 4

FP32_TOLERANCE = 1e-4
INT8_TOLERANCE = 0.05
"""Norm of the difference over the norm: an activation between two int8 steps may be rounded to either,
and in vectors of 32 one step in 255 at every layer adds up to a few hundredths."""

slow = pytest.mark.slow

EACH = (
    ("bert-gelu", "feature-extraction", "int8"),
    ("distilbert-relu-sinusoidal", "token-classification", "int8"),
    ("electra-projected", "fill-mask", "fp32"),
    ("mobilebert-default", "text-classification", "int8"),
    ("albert-gelu_new", "text-classification", "int8"),
    ("modernbert-mean", "question-answering", "int8"),
    ("mpnet-gelu", "feature-extraction", "int8"),
    ("roberta-gelu", "text-classification", "int8"),
    pytest.param("bert-gelu", "feature-extraction", "fp32", marks=slow),
    pytest.param("bert-gelu_new", "question-answering", "int8", marks=slow),
    pytest.param("bert-silu", "text-classification", "fp32", marks=slow),
    pytest.param("electra-projected", "fill-mask", "int8", marks=slow),
    pytest.param("electra-projected", "text-ranking", "fp32", marks=slow),
    pytest.param("mobilebert-default", "fill-mask", "fp32", marks=slow),
    pytest.param("mobilebert-layer-norm", "question-answering", "fp32", marks=slow),
    pytest.param("mobilebert-no-trigram", "feature-extraction", "int8", marks=slow),
)
each_program = pytest.mark.parametrize(("name", "task", "recipe"), EACH)


@dataclasses.dataclass(frozen=True)
class Lowered:
    """A device module and its program with both methods."""

    module: DeviceProgram
    result: LowerResult


def case_named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def make(model: Any, task: str, recipe: str, pooling: str = "mean") -> DeviceProgram:
    program = device_module(model, get_task(task), pooling=pooling, normalize=True, max_length=MAX_LENGTH)
    apply_recipe(program, get_recipe(recipe))
    return program


def lower_both(program: DeviceProgram) -> LowerResult:
    methods = {"forward": program, "forward_batch": program.with_mask()}
    return lower(methods, max_length=MAX_LENGTH, max_batch=MAX_BATCH, constant_methods={"answer": 42})


@pytest.fixture(scope="module")
def lowered(models: Models) -> Callable[[str, str, str], Lowered]:
    made: dict[tuple[str, str, str], Lowered] = {}

    def get(name: str, task: str, recipe: str) -> Lowered:
        if (name, task, recipe) not in made:
            program = make(models(case_named(name), task), task, recipe)
            made[name, task, recipe] = Lowered(program, lower_both(program))
        return made[name, task, recipe]

    return get


def inputs_of(program: DeviceProgram, ids: Tensor, mask: Tensor | None = None) -> list[Tensor]:
    types = (torch.arange(ids.shape[1]) >= ids.shape[1] // 2).long().expand(ids.shape).contiguous()
    named = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    return [value for name in program.inputs if (value := named[name]) is not None]


def assert_close(found: Tensor, expected: Tensor, recipe: str) -> None:
    assert found.dtype == torch.float32
    assert found.shape == expected.shape
    if recipe == "fp32":
        scale = max(1.0, expected.abs().max().item())
        assert (found - expected).abs().max().item() <= FP32_TOLERANCE * scale
    else:
        assert ((found - expected).norm() / expected.norm()).item() <= INT8_TOLERANCE


@each_program
def test_forward_agrees_with_the_module(
    name: str, task: str, recipe: str, lowered: Callable[..., Lowered], run_program: Runner
) -> None:
    made = lowered(name, task, recipe)
    run = run_program(made.result.program, "forward")
    for length in LENGTHS:
        inputs = inputs_of(made.module, random_ids(1, length))
        with torch.no_grad():
            expected = made.module(*inputs)
        for one, other in zip(run(*inputs), expected, strict=True):
            assert_close(one, other, recipe)


@each_program
def test_forward_batch_agrees_with_the_module(
    name: str, task: str, recipe: str, lowered: Callable[..., Lowered], run_program: Runner
) -> None:
    made = lowered(name, task, recipe)
    run = run_program(made.result.program, "forward_batch")
    masked = made.module.with_mask()
    for batch, length in ((1, 2), (2, 3), (MAX_BATCH, 17), (MAX_BATCH, MAX_LENGTH), (1, MAX_LENGTH)):
        mask = torch.ones(batch, length, dtype=torch.int64)
        mask[-1, max(2, length // 2) :] = 0
        inputs = inputs_of(masked, random_ids(batch, length), mask)
        with torch.no_grad():
            expected = masked(*inputs)
        for one, other in zip(run(*inputs), expected, strict=True):
            assert_close(one, other, recipe)


@each_program
def test_a_single_text_is_one_partition(name: str, task: str, recipe: str, lowered: Callable[..., Lowered]) -> None:
    facts = lowered(name, task, recipe).result.facts
    # what reads one token, or sums over all, stands outside and leaves a second piece behind it
    whole = task in ("fill-mask", "question-answering", "token-classification")
    assert facts.partitions["forward"] == (1 if whole else 2)
    arithmetic = {"aten::linear", "aten::bmm", "aten::add", "aten::mul", "aten::view_copy", "aten::gelu"}
    outside = set(facts.operators_outside["forward"])
    if "aten::cumsum" in outside:  # positions are counted without padding ids, in whole numbers: XNNPACK has none
        outside.discard("aten::mul")
    assert not arithmetic & outside


def test_the_facts_name_what_the_runtime_must_have(lowered: Callable[..., Lowered], stock_runtime: Any) -> None:
    facts = lowered("mobilebert-default", "text-classification", "int8").result.facts
    assert facts.backends == ("XnnpackBackend",)
    assert facts.kernel_libraries == ("optimized", "quantized")
    assert "quantized_decomposed::embedding_byte.out" in facts.operators
    assert set(facts.operators) <= set(stock_runtime.operator_registry.operator_names)


def test_fp32_needs_no_quantized_kernels(lowered: Callable[..., Lowered]) -> None:
    assert lowered("electra-projected", "fill-mask", "fp32").result.facts.kernel_libraries == ("optimized",)


def test_planned_memory_is_at_the_bound(lowered: Callable[..., Lowered], models: Models) -> None:
    made = lowered("bert-gelu", "feature-extraction", "int8")
    model = models(CASES[0], "feature-extraction")
    short_module = device_module(model, get_task("feature-extraction"), pooling="mean", max_length=10)
    short = lower({"forward": short_module}, max_length=10, constant_methods={})
    # at least the hidden state that leaves the first partition: float32 [length, 32]
    assert made.result.facts.planned_bytes["forward"] >= MAX_LENGTH * 32 * 4
    assert short.facts.planned_bytes["forward"] < made.result.facts.planned_bytes["forward"]
    assert made.result.facts.planned_bytes["forward_batch"] > made.result.facts.planned_bytes["forward"]


def test_sizes_by_part_add_up(lowered: Callable[..., Lowered]) -> None:
    result = lowered("bert-gelu", "feature-extraction", "int8").result
    sizes = result.sizes
    # by hand: 90 words of 32 int8 and a scale, 40 positions of 32 floats (the row of type 0 is folded in)
    assert sizes.embedding == 90 * (32 + 4) + 40 * 32 * 4
    per_layer = 4 * (32 * 32 + 32 * 8) + (48 * 32 + 48 * 8) + (32 * 48 + 32 * 8)
    assert sizes.linears == 2 * per_layer
    assert sizes.embedding + sizes.linears + sizes.other == len(result.program)


@slow
def test_the_batch_method_adds_no_weights(models: Models) -> None:
    program = make(models(CASES[0], "feature-extraction"), "feature-extraction", "int8")
    alone = lower({"forward": program}, max_length=MAX_LENGTH, constant_methods={})
    both = lower_both(program)
    # graphs only: the same number of bytes whatever the vocabulary
    wide_case = Case("wide", "bert", {"vocab_size": 5000})
    wide = make(models(wide_case, "feature-extraction"), "feature-extraction", "int8")
    wide_alone = lower({"forward": wide}, max_length=MAX_LENGTH, constant_methods={})
    wide_both = lower_both(wide)
    added, wide_added = (
        len(more.program) - len(less.program) for more, less in ((both, alone), (wide_both, wide_alone))
    )
    assert abs(wide_added - added) <= 256


def test_constant_methods_come_back_and_progress_is_told(models: Models) -> None:
    seen: list[ProgramFacts] = []
    blob = bytes(range(256)) * 5 + b"\x00"

    def values(facts: ProgramFacts) -> dict[str, int | float | bool | str | bytes]:
        seen.append(facts)
        return {"number": 7, "real": 0.25, "yes": True, "text": "Grüße\n", "empty": "", "blob": blob}

    told: list[str] = []
    program = make(models(CASES[0], "feature-extraction"), "feature-extraction", "fp32")
    result = lower({"forward": program}, max_length=MAX_LENGTH, constant_methods=values, progress=told.append)
    assert told == ["trace forward", "delegate to XNNPACK", "plan memory", "write program"]
    assert seen == [result.facts]
    texts = [value_of(result, name) for name in ("number", "real", "yes", "text", "empty")]
    assert texts == [7, 0.25, True, "Grüße\n", ""]
    found = value_of(result, "blob")
    assert found.dtype == torch.uint8
    assert bytes(found.numpy()) == blob


def value_of(result: LowerResult, name: str) -> Any:
    from executorch.runtime import Runtime

    program = Runtime.get().load_program(result.program)
    value = program.load_method(name).execute(())[0]
    return value.clone() if isinstance(value, Tensor) else value


@pytest.mark.parametrize(
    ("name", "task", "recipe"),
    [
        ("mobilebert-default", "text-classification", "int8"),
        pytest.param("bert-gelu", "feature-extraction", "int8", marks=slow),
        pytest.param("modernbert-biases", "feature-extraction", "int8", marks=slow),
        pytest.param("bert-silu", "feature-extraction", "fp32", marks=slow),
        pytest.param("distilbert-relu-sinusoidal", "token-classification", "fp32", marks=slow),
        pytest.param("electra-projected", "fill-mask", "int8", marks=slow),
        pytest.param("bert-gelu_new", "question-answering", "fp32", marks=slow),
    ],
)
def test_the_skipped_passes_would_change_nothing(
    name: str, task: str, recipe: str, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make(models(case_named(name), task), task, recipe)
    quick = lower_both(program).program
    monkeypatch.setattr(lowering, "necessary_passes", contextlib.nullcontext)
    assert lower_both(program).program == quick


def test_a_tied_decoder_is_counted(lowered: Callable[..., Lowered]) -> None:
    # ELECTRA's generator shares its 90 words of 16 floats
    assert lowered("electra-projected", "fill-mask", "fp32").result.written_twice == 90 * 16 * 4
    assert lowered("bert-gelu", "feature-extraction", "int8").result.written_twice == 0


@pytest.mark.parametrize(
    ("name", "max_length", "max_batch"),
    [("mobilebert-default", 3, 0), pytest.param("bert-gelu", 2, 1, marks=slow)],
)
def test_the_smallest_bounds(name: str, max_length: int, max_batch: int, models: Models, run_program: Runner) -> None:
    model = models(case_named(name), "feature-extraction")
    program = device_module(model, get_task("feature-extraction"), max_length=max_length)
    methods = {"forward": program}
    if max_batch:
        methods["forward_batch"] = program.with_mask()
    result = lower(methods, max_length=max_length, max_batch=max_batch, constant_methods={})
    run = run_program(result.program, "forward")
    for length in range(2, max_length + 1):
        ids = random_ids(1, length)
        with torch.no_grad():
            assert_close(run(ids)[0], program(ids)[0], "fp32")
    if max_batch:
        ids = random_ids(1, 2)
        batched = run_program(result.program, "forward_batch")
        assert_close(batched(ids, torch.ones_like(ids))[0], run(ids)[0], "fp32")


@pytest.mark.parametrize("pools_part", [False, True])
def test_the_maximum_over_a_padded_batch(pools_part: bool, models: Models, run_program: Runner) -> None:
    program = device_module(
        models(CASES[0], "feature-extraction"), get_task("feature-extraction"), pooling="max", max_length=MAX_LENGTH,
        pools_part=pools_part,
    )  # fmt: skip
    ids, mask = random_ids(2, 7), torch.ones(2, 7, dtype=torch.int64)
    mask[1, 4:] = 0
    pooled = mask.clone()
    pooled[:, :2] = 0
    inputs = (ids, *([pooled] if pools_part else []), mask)
    run = run_program(lower_both(program).program, "forward_batch")
    with torch.no_grad():
        assert_close(run(*inputs)[0], program.with_mask()(*inputs)[0], "fp32")


def test_impossible_requests_are_refused_at_once(models: Models) -> None:
    program = make(models(CASES[0], "feature-extraction"), "feature-extraction", "fp32")
    with pytest.raises(
        LoweringError, match="methods to have forward, got none; expected max_length to be at least 2, got 1"
    ):
        lower({}, max_length=1, constant_methods={})
    methods = {"forward": program, "forward_batch": program.with_mask()}
    with pytest.raises(LoweringError, match="expected max_batch to be at least 1 for a batch method, got 0"):
        lower(methods, max_length=MAX_LENGTH, max_batch=0, constant_methods={})
