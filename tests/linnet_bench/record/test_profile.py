"""From events to shares: figures by hand, and the same structure as the program of a real file."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from linnet.cli.console import Console
from linnet.errors import InternalError
from linnet.format.evidence import Evidence
from linnet_bench.record.layers import ProgramMap
from linnet_bench.record.profile import Event, LengthProfile, Profiler, Row, steps_of
from linnet_bench.record.profile_table import show_profile
from linnet_bench.record.record import from_data
from linnet_bench.record.statistics import summarize
from linnet_bench.record.trace import TracedRuns, trace_json
from tests.support.cli import bench, read
from tests.support.files import BenchFiles
from tests.support.records import make_run
from tests.support.task_files import files_of_every_task

LINEAR = "Fully Connected (NC, F32) GEMM"


def profile() -> LengthProfile:
    """The two runs of :func:`make_run`: 1100 and 1300 µs."""
    profiler = Profiler()
    for number in range(2):
        profiler.add(make_run(number))
    return profiler.result(8, summarize([1_150_000, 1_350_000]), 1_000_000)


def only(rows: Sequence[Row], **wanted: Any) -> Row:
    (row,) = (row for row in rows if all(getattr(row, name) == value for name, value in wanted.items()))
    return row


def test_the_whole_and_its_parts_by_hand() -> None:
    found = profile()
    # partition 1: 500 and 700; with 1 + 99 + 100 + 200 and 100 of the executor 1000 and 1200
    assert found.execute_ns == 1_100_000
    linears = only(found.operators, name=LINEAR)
    # 2 * 200 + 180 and 2 * 300 + 180
    assert (linears.calls, linears.p50_ns, linears.p90_ns, linears.mean_ns) == (3, 580_000, 780_000, 680_000)
    assert linears.share == pytest.approx((580 + 780) / 2200)
    assert (linears.kind, linears.instruction, linears.partition) == ("delegated", -1, 0)
    # 500 - 450 and 700 - 650 in partition 1, 20 in partition 2
    assert only(found.operators, kind="set-up").mean_ns == 70_000
    assert only(found.operators, kind="executor").mean_ns == 100_000
    assert only(found.steps, partition=1).p90_ns == 700_000
    assert only(found.steps, partition=1).calls == 3
    assert only(found.steps, partition=2).share == pytest.approx(400 / 2200)
    assert only(found.steps, name="view_copy.out").kind == "outside"
    assert only(found.places, partition=1, position=2).name == LINEAR
    assert found.resolution_ns == 1000


def test_each_table_sums_to_one() -> None:
    found = profile()
    for rows in (found.operators, found.steps, found.places):
        assert sum(row.share for row in rows) == pytest.approx(1)
        assert sum(row.mean_ns for row in rows) == pytest.approx(found.execute_ns)
    assert [row.share for row in found.operators] == sorted((row.share for row in found.operators), reverse=True)


def test_a_kernel_without_a_name_keeps_its_place() -> None:
    assert [step.name for step in steps_of(make_run(0))] == [
        *("instruction 0", "embedding_byte.out", "partition 1", "view_copy.out", "partition 2"),
    ]


PLACES = {
    "forward": [
        {"operator": "aten::sym_size", "layer": ""},
        {"operator": "quantized_decomposed::embedding_byte", "layer": "word"},
        {"partition": [{"layer": "query", "operators": ["linear", "add"]}, {"layer": "key", "operators": ["linear"]}]},
        {"operator": "aten::view_copy", "layer": "head"},
        {"partition": [{"layer": "head.0", "operators": ["linear", "add"]}, {"layer": "head.1", "operators": ["add"]}]},
    ]
}


def test_operators_are_matched_with_layers_kind_by_kind() -> None:
    profiler = Profiler(ProgramMap(Evidence.from_json({"places": PLACES})))
    profiler.add(make_run(0))
    found = profiler.result(8, summarize([1_100_000]), 1_000_000)
    times = {row.layer: row.mean_ns for row in found.layers}
    # query: a linear of 200 and the addition of 50; without a layer: size 1, set-up 50 + 20, executor 100
    assert times == {"word": 99e3, "query": 250e3, "key": 200e3, "head": 100e3, "head.0": 180e3, "": 171e3}
    assert sum(row.share for row in found.layers) == pytest.approx(1)
    assert [row.name for row in found.steps if row.instruction == 0] == ["aten::sym_size"]
    stream = io.StringIO()
    show_profile(found, 1, "forward", Console(stream))
    rows = [line.split() for line in stream.getvalue().splitlines()]
    assert ["query", "2", "25.0%", "250.0", "250.0", "250.0"] in rows


def test_kinds_that_differ_in_number_stay_without_layer() -> None:
    program = ProgramMap(Evidence.from_json({"places": PLACES}))
    linear, add = LINEAR, "Add (ND)"
    assert program.partition(2, [linear, add]) == ["", "query"]
    assert program.partition(2, [add, "Convert (NC)", linear, linear]) == ["query", "", "query", "key"]
    assert program.partition(4, [linear, add, add]) == ["head.0", "head.0", "head.1"]
    assert program.partition(99, [linear]) == [""]


@pytest.mark.parametrize("evidence", [{}, {"places": None}, {"places": {"forward_batch": []}}])
def test_a_file_without_places_knows_no_layers(evidence: dict[str, Any]) -> None:
    program = ProgramMap(Evidence.from_json(evidence))
    assert program.operator(0) == ("", "")
    assert program.partition(0, [LINEAR]) == [""]


def test_one_exact_time_tells_the_resolution() -> None:
    events = make_run(0)
    events[3] = events[3]._replace(end_ns=events[3].end_ns + 1)
    profiler = Profiler()
    profiler.add(events)
    assert profiler.result(8, summarize([1]), 1).resolution_ns == 1


def test_runs_of_different_programs_are_a_defect() -> None:
    profiler = Profiler()
    with pytest.raises(InternalError, match="found 0 events"):
        profiler.add(make_run(0)[:-1])
    profiler.add(make_run(0))
    with pytest.raises(InternalError, match="another way"):
        profiler.add(make_run(0)[3:])


def test_the_table_for_people() -> None:
    stream = io.StringIO()
    show_profile(profile(), 2, "forward", Console(stream))
    text = stream.getvalue()
    assert "profile of forward, 8 tokens, 2 threads" in text
    # 680 of 1100 µs
    assert [*LINEAR.split(), "XNNPACK", "3", "61.8%", "680.0", "580.0", "780.0"] in [
        line.split() for line in text.splitlines()
    ]
    # 200 of 1100 µs, of which 100 each
    assert "outside of delegates: 3 operators, 18.2% of the time, above all view_copy.out (9.1%)" in text
    assert "4 operators in 2 partitions" in text
    assert "whole microseconds" in text
    # medians are the lower of two
    assert "1.150 ms profiled (2 inferences), 1.000 ms without: profiling takes +15.0%" in text


def test_a_partition_has_the_delegate_of_its_operators() -> None:
    events = [event._replace(name="linnet::int8_linear #1") if event.kind and event.instruction == 4 else event
              for event in make_run(0)]  # fmt: skip
    profiler = Profiler()
    profiler.add(events)
    stream = io.StringIO()
    show_profile(profiler.result(8, summarize([1]), 1), 1, "forward_fused", Console(stream))
    wheres = {line.split()[0] + line.split()[1]: line.split()[2] for line in stream.getvalue().splitlines()
              if line.startswith("partition")}  # fmt: skip
    assert wheres == {"partition1": "XNNPACK", "partition2": "linnet"}


def test_the_largest_operator_outside_is_the_largest_of_the_table() -> None:
    """Three calls of one operator against a single one that takes longer than each of them."""
    events, at = [], 0
    times = [("attention", 200), ("norm", 300), ("attention", 200), ("attention", 200)]
    for instruction, (name, time) in enumerate(times):
        call = Event("OPERATOR_CALL", 0, 0, instruction, at, at + time * 1000)
        events += [call._replace(name=f"native_call_{name}"), call]
        at = call.end_ns
    profiler = Profiler()
    profiler.add([*events, Event("Method::execute", 0, 0, -1, 0, at + 100_000)])
    stream = io.StringIO()
    show_profile(profiler.result(8, summarize([1_000_000]), 1_000_000), 1, "forward", Console(stream))
    assert "outside of delegates: 4 operators, 90.0% of the time, above all attention (60.0%)" in stream.getvalue()


# -- a real program ------------------------------------------------------------------------------------

_STRUCTURE = """
import json, sys
from executorch.exir._serialize._program import deserialize_pte_binary
(plan,) = (p for p in deserialize_pte_binary(open(sys.argv[1], "rb").read()).program.execution_plan
           if p.name == "forward")
print(json.dumps([type(entry.instr_args).__name__ for entry in plan.chains[0].instructions]))
"""


@pytest.fixture(scope="module")
def instructions(bench_files: BenchFiles) -> list[str]:
    """Kinds of the program's instructions, as ExecuTorch's own reader finds them."""
    command = [sys.executable, "-W", "ignore", "-c", _STRUCTURE, str(bench_files.proven)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def measured(bench_files: BenchFiles, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Record, trace and output of one command."""
    folder = tmp_path_factory.mktemp("profile")
    record, trace = folder / "record.json", folder / "trace.json"
    arguments = ("--threads", "1", "--lengths", "4,9", "--samples", "7", "--cold", "0")
    done = bench(bench_files.proven, *arguments, "--output", record, "--trace", trace)
    assert done.returncode == 0, done.stderr
    return record, trace, done.stdout


def test_a_profile_has_the_structure_of_the_program(instructions: list[str], measured: tuple[Path, Path, str]) -> None:
    record = read(measured[0])
    profiles = record.runs[0].profiles
    assert [profile.tokens for profile in profiles] == [4, 9]
    partitions = instructions.count("DelegateCall")
    assert partitions >= 1
    for found in profiles:
        assert [row.kind for row in found.places].count("set-up") == partitions
        assert [row.kind for row in found.places].count("outside") == len(instructions) - partitions
        assert len(found.steps) == len(instructions) + 1
        assert sum(row.share for row in found.places) == pytest.approx(1)
        assert min(row.mean_ns for row in found.places) >= 0
        assert found.forward.samples == 7
        assert 0 < found.execute_ns < found.forward.mean_ns
        # two linears, in whatever partition
        assert only(found.operators, name=LINEAR).calls == 2
        assert [row.name for row in found.places].count("embedding.out") == 2
    if sys.platform == "linux":
        assert {profile.resolution_ns for profile in profiles} == {1}
    assert "profile of forward, 9 tokens" in measured[2]


def test_a_trace_has_five_inferences_with_everything_inside(
    instructions: list[str], measured: tuple[Path, Path, str]
) -> None:
    trace = json.loads(measured[1].read_text(encoding="utf-8"))
    assert trace["otherData"]["file"] == "proven.pte"
    slices = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    names = {
        (event["pid"], event["tid"]): event["args"]["name"] for event in trace["traceEvents"] if event["ph"] == "M"
    }
    assert (names[1, 0], names[2, 0]) == ("4 tokens, 1 thread", "9 tokens, 1 thread")
    for process in (1, 2):
        own = [event for event in slices if event["pid"] == process]
        wholes = {event["args"]["inference"]: event for event in own if names[process, event["tid"]] == "inferences"}
        assert sorted(wholes) == [0, 1, 2, 3, 4]
        assert min(event["ts"] for event in own) == wholes[0]["ts"] == 0
        program = [event for event in own if names[process, event["tid"]] == "program"]
        assert len(program) == 5 * len(instructions)
        assert [event["name"].startswith("partition") for event in program].count(True) == 5 * instructions.count(
            "DelegateCall"
        )
        for event in own:
            whole = wholes[event["args"]["inference"]]
            assert whole["ts"] <= event["ts"]
            assert event["ts"] + event["dur"] <= whole["ts"] + whole["dur"] + 1e-3
        for _, track in itertools.groupby(
            sorted(own, key=lambda event: (event["tid"], event["ts"])), lambda e: e["tid"]
        ):
            rows = list(track)
            for one, other in itertools.pairwise(rows):  # nothing overlaps on a track
                assert one["ts"] + one["dur"] <= other["ts"] + 1e-3


def test_a_trace_is_not_overwritten_and_not_mixed_up(bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text("mine")
    done = bench(bench_files.proven, "--trace", out)
    assert (done.returncode, done.stdout, out.read_text()) == (2, "", "mine")
    assert "--force" in done.stderr
    done = bench(bench_files.proven, "--trace", out, "--output", out, "--force")
    assert (done.returncode, done.stdout, out.read_text()) == (2, "", "mine")


def test_a_wrong_answer_has_no_profile(bench_files: BenchFiles, tmp_path: Path) -> None:
    out, trace = tmp_path / "out.json", tmp_path / "trace.json"
    done = bench(
        bench_files.wrong, "--threads", "1", "--lengths", "4", "--samples", "3", "--output", out, "--trace", trace
    )
    assert done.returncode == 1
    assert read(out).runs[0].profiles == ()
    assert not trace.exists()


def test_a_trace_of_nothing_is_still_one() -> None:
    assert json.loads(trace_json([TracedRuns(1, 8, [])], {}))["displayTimeUnit"] == "ms"


def test_an_event_comes_back_from_json() -> None:
    assert from_data(LengthProfile, json.loads(json.dumps(dataclasses.asdict(profile())))) == profile()
    assert Event(*json.loads(json.dumps(make_run(0)[0]))) == make_run(0)[0]


def test_the_method_that_ran_is_recognized_by_its_delegate_calls() -> None:
    forward = [{"operator": "aten::add", "layer": "a"}, {"partition": []}]
    fused = [{"partition": []}, {"operator": "linnet::int8_attention", "layer": "b"}, {"partition": []}]
    program = ProgramMap(Evidence.from_json({"places": {"forward": forward, "forward_fused": fused}}))
    assert program.operator(0) == ("aten::add", "a")
    program.recognize([2, 0])
    assert program.operator(1) == ("linnet::int8_attention", "b")
    program.recognize([1])
    assert program.operator(0) == ("aten::add", "a")


@pytest.mark.parametrize("task", ["text-classification", "fill-mask", "question-answering"])
def test_every_operator_of_a_profile_has_its_layer(task: str) -> None:
    code = """
import dataclasses, json, sys
from linnet_bench.measure.probe import profile_forward, time_forward
from linnet_bench.record.sampling import Sampling
from linnet.model import Model
from linnet.runtime import open_runtime
runtime = open_runtime(sys.argv[1], 1)
model = Model(runtime)
sampling = Sampling(seconds=None, samples=3)
plain = time_forward(model, runtime, 9, sampling)
runtime.set_profiling(True)
profile, _ = profile_forward(model, runtime, plain, sampling, 0)
print(json.dumps([model.raw_evidence, dataclasses.asdict(profile)]))
"""
    command = [sys.executable, "-c", code, str(files_of_every_task() / f"{task}.pte")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    evidence, profile = json.loads(done.stdout)
    places = evidence["places"]["forward"]
    assert ["partition" in place for place in places].count(True) == evidence["report"]["partitions"]["forward"]
    assert len(places) == len(profile["steps"]) - 1  # the executor is no instruction
    linears = {name for place in profile["places"] if place["name"].startswith("Fully") for name in [place["layer"]]}
    layer = {f"body.layers.0.{name}" for name in ("attention.query", "attention.key", "expand", "contract")}
    assert layer <= linears
    assert "" not in linears
    assert sum(row["share"] for row in profile["layers"]) == pytest.approx(1)
