"""The methods of measuring, with made-up clocks and settings: nothing here waits."""

from __future__ import annotations

import dataclasses
import io

import pytest

from linnet.cli.console import Console
from linnet.errors import InvalidArgumentError
from linnet_bench.arguments import command_line
from linnet_bench.measure import engine
from linnet_bench.measure.benchmark import Benchmark
from linnet_bench.measure.probe import timed
from linnet_bench.measure.protocol import Emit, Job
from linnet_bench.measure.runner import Collector
from linnet_bench.record.preset import DEFAULT, OFFICIAL, estimated_seconds, points, shortcomings
from linnet_bench.record.record import LengthResult, Record, ThreadRun
from linnet_bench.record.sampling import Sampling
from linnet_bench.record.statistics import summarize
from linnet_bench.record.table import show_record
from tests.support.cli import settings
from tests.support.events import CHECK, FACTS, LENGTH, OPENED
from tests.support.files import BenchFiles
from tests.support.records import make_record


class Clock:
    """A clock that each call of the timed function moves on."""

    def __init__(self, step_ns: int) -> None:
        self.now, self.step, self.calls = 0, step_ns, 0

    def __call__(self) -> int:
        return self.now

    def work(self) -> None:
        self.now += self.step
        self.calls += 1


@pytest.mark.parametrize(
    ("step_ms", "samples"),
    [
        (100, 1024),  # slow: 60 s have 600 samples, and 1 024 are needed (MLPerf Mobile's min_query_count)
        (10, 6000),  # fast: 1 024 samples take 10 s, and 60 s are needed (its min_duration)
        (1, 60000),  # no upper bound cuts the minute short
    ],
)
def test_the_official_method_takes_1024_samples_and_60_seconds(step_ms: int, samples: int) -> None:
    clock = Clock(step_ms * 1_000_000)
    warmup, taken = timed(clock.work, settings("--official").sampling, clock)
    assert len(taken) == samples
    assert warmup * step_ms >= 5000
    assert clock.calls == warmup + samples


def test_the_default_is_what_it_was() -> None:
    found = settings()
    assert (found.method, found.repeats, found.cooldown_seconds) == ("default", 1, 0.0)
    assert found.sampling == Sampling()


def test_official_settings() -> None:
    found = settings("--official", "--lengths", "32", "--seconds", "90", "--cooldown", "10")
    assert (found.method, found.seconds, found.least_samples) == ("official", 90.0, 1024)
    assert (found.repeats, found.cooldown_seconds, found.lengths) == (5, 10.0, (32,))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--samples", "2000"), "leave out --samples"),
        (("--seconds", "59", "--repeats", "4"), "--seconds is 59.*; --repeats is 4, --official expected at least 5"),
    ],
)
def test_less_than_the_official_method_is_refused(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        settings("--official", *arguments)


@pytest.mark.parametrize("arguments", [("--repeats", "0"), ("--cooldown", "-1"), ("--cooldown", "nan")])
def test_repeats_and_pauses_out_of_range_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgumentError, match="expected"):
        settings(*arguments)


def test_the_time_it_will_take_by_hand() -> None:
    # 2 thread counts x 5 repeats, each 8 timings (7 lengths and a text) of 65 s; 9 pauses of 300 s
    assert estimated_seconds(settings("--official", "--threads", "1,2")) == 10 * 8 * 65 + 9 * 300


def test_thread_counts_take_turns_and_a_pause_lies_between_them(
    bench_files: BenchFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[object] = []

    def worker(job: Job, collector: Collector, on_event: Emit) -> None:
        happened.append((job.variant.threads, job.settings.profile))
        for event in ({**OPENED, "facts": FACTS}, {"event": "checked", "check": CHECK}, LENGTH):
            collector.feed(event)

    monkeypatch.setattr(engine, "run_worker", worker)
    asked = settings("--threads", "1,2", "--repeats", "2", "--cooldown", "7", "--cold", "0", "--profile")
    benchmark = Benchmark(bench_files.proven, asked, lambda text: None, sleep=happened.append)
    assert benchmark.measure() is None
    assert happened == [(1, True), 7.0, (2, True), 7.0, (1, False), 7.0, (2, False)]
    record = benchmark.record()
    assert record is not None
    assert [(run.threads, run.repeat) for run in record.runs] == [(1, 0), (2, 0), (1, 1), (2, 1)]
    assert not record.partial


def test_paths_lose_their_folders_in_the_record() -> None:
    assert command_line(["bench", "/home/kim/my files/a.pte", "--output", "out.json"]) == (
        "linnet bench a.pte --output out.json"
    )
    assert command_line(["bench", "x y.pte"]) == "linnet bench 'x y.pte'"


# -- what the repeats say ------------------------------------------------------------------------------


def length(tokens: int, *milliseconds: float) -> LengthResult:
    samples = tuple(int(duration * 1e6) for duration in milliseconds)
    summary = summarize(samples)
    return LengthResult(tokens=tokens, warmup_runs=1, summary=summary, tokens_per_second=1.0, samples_ns=samples)


def repeated(*lengths: LengthResult, **changes: object) -> Record:
    """Return a record with one repeat for each result."""
    first: ThreadRun = make_record().runs[0]
    runs = tuple(
        dataclasses.replace(first, lengths=(result,), repeat=number, profiles=())
        for number, result in enumerate(lengths)
    )
    found = dataclasses.replace(make_record().settings, **{"repeats": len(lengths), **changes})  # type: ignore[arg-type]
    return dataclasses.replace(make_record(), runs=runs, settings=found)


def test_spread_by_hand() -> None:
    (point,) = points(repeated(length(8, 10.0), length(8, 11.0), length(8, 12.0)).runs)
    assert point.each(90) == [10e6, 11e6, 12e6]
    assert point.middle(90) == 11e6
    assert point.spread(90) == pytest.approx(2 / 11)
    assert point.each(10) == [10e6, 11e6, 12e6]
    assert point.samples == 3


def test_energy_is_that_of_one_inference() -> None:
    used = [dataclasses.replace(length(8, 1.0, 1.0), energy_j=joules) for joules in (0.5, 0.7)]
    (point,) = points(repeated(*used).runs)
    assert point.energy_j == pytest.approx(0.3)  # 1.2 J in four inferences
    (unknown,) = points(repeated(used[0], length(8, 1.0)).runs)
    assert unknown.energy_j is None


def test_what_is_not_official_is_named() -> None:
    few = repeated(length(8, 1.0), length(8, 1.2), seconds=1.0, samples=None)
    assert [*shortcomings(few)] == [
        "2 repeats, expected 5",
        "a length has 1 sample, expected 1024",
        "a length was measured for 0.0 s, expected 60 s",
        "the p90 at 8 tokens on 2 threads differs by 18.2% between the repeats, at most 5% allowed",
    ]


def test_an_official_record_lacks_nothing_unless_it_was_emulated() -> None:
    enough = [length(8, *[60.0] * 1024) for _ in range(5)]
    record = repeated(*enough, seconds=60.0, samples=None, method="official")
    assert [*shortcomings(record)] == []
    machine = dataclasses.replace(record.environment, emulated="by hand")
    assert [*shortcomings(dataclasses.replace(record, environment=machine))] == ["the processor is emulated (by hand)"]


def test_people_see_the_headline_and_its_spread() -> None:
    stream = io.StringIO()
    record = repeated(length(8, 10.0), length(8, 11.0), length(8, 12.0), method="official", seconds=60.0)
    show_record(record, Console(stream))
    rows = [line.split() for line in stream.getvalue().splitlines()]
    assert ["2", "8", "11.00", "10.00", "12.00", "18.2%", "11.00", "11.00", "3"] in rows
    assert "headline: p90, the median of 3 repeats" in stream.getvalue()
    assert "NOT fulfilled: 3 repeats, expected 5" in stream.getvalue()


def test_methods_have_the_published_numbers() -> None:
    assert (OFFICIAL.least_samples, OFFICIAL.seconds, OFFICIAL.repeats, OFFICIAL.cooldown_seconds) == (1024, 60, 5, 300)
    assert DEFAULT.least_samples == 20
