"""The measured process of a decoder, on a tiny one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

import linnet
from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet_bench.measure.decoder import DECODED, longest_input, prompts, time_context
from linnet_bench.measure.protocol import Job, MeasureSettings, Variant
from linnet_bench.measure.runner import Collector, run_worker
from linnet_bench.measure.sample import example_for
from linnet_bench.record.sampling import Sampling
from tests.support.decoder_file import CONTEXT, decoder_file
from tests.support.events import STATE

SAMPLING = Sampling(seconds=None, samples=3, warmup_runs=1, warmup_seconds=0)


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with linnet.load(decoder_file()) as opened:
        yield opened


def ticking() -> Iterator[int]:
    """Yield 0, 1, 3, 6, 10, ...: every time between two looks is another one."""
    return itertools.accumulate(itertools.count())


def test_prompts_have_the_length_and_each_is_another_one(model: Model) -> None:
    found = list(itertools.islice(prompts(model, 20), 5))
    assert [len(ids) for ids in found] == [20] * 5
    assert len(set(map(tuple, found))) == 5


def test_every_prompt_is_continued_and_its_parts_are_timed(model: Model) -> None:
    clock = ticking()
    prefill, decoding = time_context(model, 16, SAMPLING, lambda: next(clock))
    assert (prefill.tokens, prefill.warmup_runs, len(prefill.samples_ns)) == (16, 1, 3)
    assert (decoding.context, decoding.token.tokens) == (16, 1)
    assert len(decoding.token.samples_ns) == 3 * DECODED
    # the first token's time begins with the prefill, and one look at the clock lies between the two ends
    ahead = [first - filled for first, filled in zip(decoding.first_token.samples_ns, prefill.samples_ns, strict=True)]
    assert ahead == [filled + 1 for filled in prefill.samples_ns]
    assert decoding.token.tokens_per_second == pytest.approx(1e9 / decoding.token.summary.p50_ns)
    assert prefill.tokens_per_second == pytest.approx(16e9 / prefill.summary.p50_ns)


def test_where_the_context_ends_tokens_run_at_the_same_place_again(model: Model) -> None:
    _, decoding = time_context(model, CONTEXT - 1, SAMPLING)
    assert len(decoding.token.samples_ns) == 3 * DECODED


@pytest.mark.parametrize("context", [0, CONTEXT])
def test_a_prompt_without_room_behind_it_is_refused(model: Model, context: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"expected 1 to {CONTEXT - 1}"):
        time_context(model, context, SAMPLING)


def test_the_longest_input_leaves_room_for_a_token_of_a_decoder_only() -> None:
    assert longest_input("text-generation", 64) == 63
    assert longest_input("fill-mask", 64) == 64


def test_the_example_ends_with_the_first_token_and_can_be_written_down(model: Model) -> None:
    example = example_for(model)
    assert example.run(model).ids == eval(example.source(), {"model": model}).ids
    assert len(example.run(model).ids) <= 1


def run_job(**changes: object) -> tuple[Collector, list[str]]:
    collector, events = Collector(1, STATE), []
    variant = Variant(path=str(decoder_file()), threads=1, **changes)  # type: ignore[arg-type]
    settings = MeasureSettings(lengths=(16, 500), sampling=SAMPLING, profile=True, traced=2)
    run_worker(Job(variant=variant, settings=settings), collector, lambda event: events.append(str(event["event"])))
    return collector, events


def test_the_worker_measures_prefill_and_decoding_and_profiles_both() -> None:
    collector, events = run_job()
    run = collector.result()
    assert run is not None
    each = ("measuring", "length", "decode")
    profiles = ("measuring", "profile", "profile")
    assert events == ["opened", "checked", *each, *each, "answer", "kernels", *profiles, *profiles, "finished"]
    assert [result.tokens for result in run.lengths] == [16, CONTEXT - 1]
    assert [result.context for result in run.decoding] == [16, CONTEXT - 1]
    assert run.check.cases > 0
    assert (run.check.before, run.check.after) == (True, True)
    assert run.kernels is not None
    assert run.kernels.method == "forward_fused"
    assert "linnet::cached_attention" in run.kernels.outside
    assert [(profile.step, profile.tokens) for profile in run.profiles] == [
        *(("prefill", 16), ("decode", 16), ("prefill", 63), ("decode", 63))
    ]
    for profile in run.profiles:
        assert sum(row.share for row in profile.operators) == pytest.approx(1)
    assert [(traced.step, len({event.run for event in traced.events})) for traced in collector.traced] == [
        *(("prefill", 2), ("decode", 2)) * 2
    ]


def test_the_plain_method_of_a_decoder_is_refused() -> None:
    collector, _ = run_job(fused=False)
    assert isinstance(collector.failure, InvalidArgumentError)
    assert "--fused no" in str(collector.failure)
