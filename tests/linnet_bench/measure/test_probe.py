"""Inputs of the measured runs, and the checks around them, with a program that is a Python function."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from linnet.errors import CallerError, GoldenMismatchError
from linnet.format.manifest import TASKS
from linnet.model import Model
from linnet.runtime import FloatArray, IntArray
from linnet_bench.measure.probe import forward_inputs, time_answer, time_forward
from linnet_bench.measure.sample import example_for, long_text
from linnet_bench.record.sampling import Sampling
from tests.support.sdk_fakes import PIECES, FakeRuntime, Program, hashed_program, make_manifest

SAMPLING = Sampling(seconds=None, samples=2, warmup_runs=1, warmup_seconds=0)


def opened(program: Program, task: str = "text-classification") -> tuple[Model, FakeRuntime]:
    runtime = FakeRuntime(make_manifest(task, max_length=64), program)
    return Model(runtime), runtime


def program_for(task: str) -> Program:
    """Return a program with outputs of the task's shape."""
    return {
        "feature-extraction": hashed_program(8),
        "fill-mask": hashed_program(len(PIECES), per_token=True),
        "question-answering": hashed_program(0, outputs=2),
        "text-classification": hashed_program(3),
        "text-ranking": hashed_program(1),
        "token-classification": hashed_program(3, per_token=True),
    }[task]


@pytest.mark.parametrize("tokens", [2, 3, 8, 24])
def test_inputs_have_exactly_the_length_asked_for(tokens: int) -> None:
    model, runtime = opened(hashed_program(3))
    ids, types = forward_inputs(model, runtime, tokens)
    assert ids.dtype == np.int64
    assert ids.shape == types.shape == (1, tokens)
    assert (ids[0, 0], ids[0, -1]) == (model.manifest.cls_id, model.manifest.sep_id)
    assert not types.any()


def test_a_length_without_room_for_the_special_tokens_is_refused() -> None:
    model, runtime = opened(hashed_program(3))
    with pytest.raises(CallerError):
        forward_inputs(model, runtime, 1)


@pytest.mark.parametrize("tokens", [1, 100, 512, 5000])
def test_the_sample_text_is_long_enough_for_any_tokenizer(tokens: int) -> None:
    assert len(long_text(tokens).split()) >= tokens


def test_forward_runs_once_for_each_sample_and_thrice_around_it() -> None:
    model, runtime = opened(hashed_program(3))
    result = time_forward(model, runtime, 8, SAMPLING)
    assert (result.tokens, result.warmup_runs, len(result.samples_ns)) == (8, 1, 2)
    # once for the answer before, one warm-up, two samples, once for the answer after
    assert runtime.calls == [("forward", 1, 8)] * 5


def test_an_answer_that_drifts_while_timed_is_wrong() -> None:
    count = itertools.count()

    def drifting(ids: IntArray, types: IntArray) -> list[FloatArray]:
        return [np.full(3, 1 + next(count) * 1e-2, dtype=np.float32)]

    model, runtime = opened(drifting)
    with pytest.raises(GoldenMismatchError, match="changed its answer by 0.04 at 8 tokens"):
        time_forward(model, runtime, 8, SAMPLING)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_answer_that_is_no_number_is_wrong(value: float) -> None:
    model, runtime = opened(lambda ids, types: [np.full(3, value, dtype=np.float32)])
    with pytest.raises(GoldenMismatchError, match="NaN or infinity at 8 tokens"):
        time_forward(model, runtime, 8, SAMPLING)


@pytest.mark.parametrize("task", [task for task in TASKS if task != "text-generation"])
def test_every_task_has_an_example_that_answers_and_can_be_written_down(task: str) -> None:
    model, runtime = opened(program_for(task), task)
    example = example_for(model)
    assert str(example.run(model)) == str(eval(example.source(), {"model": model}))
    assert len(runtime.calls) == 2
    tokens = time_answer(model, example, SAMPLING).tokens
    assert 2 < tokens == runtime.calls[0][2]
