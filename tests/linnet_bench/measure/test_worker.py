"""The measuring process on a small real file, and what the runner makes of its events."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from linnet.errors import FileMissingError, InternalError
from linnet_bench.measure.protocol import Event, Job, MeasureSettings, Variant
from linnet_bench.measure.runner import Collector, run_worker
from linnet_bench.record.sampling import Sampling
from tests.support.events import CHECK, LENGTH, OPENED, STATE
from tests.support.files import BenchFiles


def run_job(path: Path, lengths: tuple[int, ...] = (4, 8, 64)) -> tuple[Collector, list[Event]]:
    """Measure in a fresh process, three samples for each length."""
    collector = Collector(1, STATE)
    events: list[Event] = []
    settings = MeasureSettings(lengths=lengths, sampling=Sampling(seconds=None, samples=3))
    job = Job(variant=Variant(path=str(path), threads=1), settings=settings)
    run_worker(job, collector, events.append)
    return collector, events


def test_a_proven_file_is_measured_at_each_length_up_to_its_bound(bench_files: BenchFiles) -> None:
    collector, events = run_job(bench_files.proven)
    run = collector.result()
    assert run is not None
    assert [result.tokens for result in run.lengths] == [4, 8, 24]
    assert all(len(result.samples_ns) == 3 and min(result.samples_ns) > 0 for result in run.lengths)
    assert run.check.cases == 3
    assert (run.check.before, run.check.after, run.check.message) == (True, True, "")
    assert run.answer is not None
    assert run.load_ns is not None
    assert run.load_ns > 0
    assert run.peak_memory is not None
    assert run.peak_memory > 10_000_000
    assert [event["event"] for event in events] == [
        *("opened", "checked", "measuring", "length", "measuring", "length", "measuring", "length"),
        *("answer", "kernels", "finished"),
    ]
    assert run.kernels is not None
    assert any(name.startswith("Fully Connected") for name in run.kernels.delegated)
    assert run.affinity


def test_the_worker_says_which_file_and_which_runtime(bench_files: BenchFiles) -> None:
    collector, _ = run_job(bench_files.proven, (4,))
    assert collector.opened is not None
    facts = collector.opened.file_facts(bench_files.proven, "00")
    assert (facts.name, facts.task, facts.recipe, facts.max_length) == ("proven.pte", "text-classification", "fp32", 24)
    assert facts.size == bench_files.proven.stat().st_size
    assert collector.opened.runtime["backends"] == "XnnpackBackend,LinnetBackend"
    assert collector.opened.runtime["threads"] == "1"


def test_a_wrong_answer_has_no_latency(bench_files: BenchFiles) -> None:
    collector, events = run_job(bench_files.wrong)
    run = collector.result()
    assert run is not None
    assert run.check.wrong
    assert "1 of 3 golden cases differ" in run.check.message
    assert (run.lengths, run.answer, run.load_ns, run.first_answer_ns) == ((), None, None, None)
    assert [event["event"] for event in events] == ["opened", "checked"]


def test_an_unproven_file_is_measured_and_says_so(bench_files: BenchFiles) -> None:
    run = run_job(bench_files.unproven, (4,))[0].result()
    assert run is not None
    assert len(run.lengths) == 1
    assert (run.check.cases, run.check.wrong) == (0, False)
    assert "unproven" in run.check.message


def test_an_error_of_the_worker_keeps_its_class(tmp_path: Path) -> None:
    collector, _ = run_job(tmp_path / "absent.pte")
    assert isinstance(collector.failure, FileMissingError)
    assert collector.result() is None


def test_a_worker_that_cannot_start_is_an_error_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/absent")
    with pytest.raises(InternalError, match="the measuring process ended with"):
        run_job(Path("any.pte"))


def test_native_prints_do_not_mix_with_the_events() -> None:
    code = (
        "import os\n"
        "from linnet_bench.measure.protocol import own_stdout\n"
        "emit = own_stdout()\n"
        "os.write(1, b'noise of a library\\n')\n"
        "print('noise of Python', flush=True)\n"
        "emit({'event': 'x'})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == '{"event": "x"}\n'
    assert "noise of a library" in done.stderr
    assert "noise of Python" in done.stderr


# -- the collector alone -------------------------------------------------------------------------------


def collect(*events: Event) -> Collector:
    collector = Collector(1, STATE)
    for event in events:
        collector.feed(event)
    return collector


def test_an_interrupted_worker_leaves_what_it_had_finished() -> None:
    run = collect(OPENED, {"event": "checked", "check": CHECK}, LENGTH).result()
    assert run is not None
    assert [result.samples_ns for result in run.lengths] == [(9,)]
    assert run.check.after is None
    assert run.peak_memory is None


def test_an_answer_that_turns_wrong_while_timing_takes_all_latencies_away() -> None:
    state: dict[str, Any] = {"frequency_mhz": [], "load_average": [], "temperature_c": None}
    after = {**CHECK, "after": False, "message": "logits is off"}
    finished = {"event": "finished", "check": after, "after": state, "peak_memory": 1}
    run = collect(OPENED, {"event": "checked", "check": CHECK}, LENGTH, finished).result()
    assert run is not None
    assert run.check.wrong
    assert (run.lengths, run.load_ns) == ((), None)


def test_a_failure_while_timing_takes_all_latencies_away() -> None:
    failed = {"event": "failed", "name": "RunFailedError", "message": "error 0x12"}
    run = collect(OPENED, {"event": "checked", "check": CHECK}, LENGTH, failed).result()
    assert run is not None
    assert (run.lengths, run.error) == ((), "error 0x12")


def test_an_unknown_event_is_a_defect() -> None:
    with pytest.raises(InternalError, match="no event"):
        collect({"event": "lunch"})
