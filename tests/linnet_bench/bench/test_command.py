"""``linnet bench`` from its arguments to its exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from linnet.errors import FileMissingError, FileUnreadableError, InvalidArgumentError, RunFailedError
from linnet_bench.bench.command import run, settings_from
from linnet_bench.measure import benchmark, engine
from linnet_bench.measure.files import file_sha256
from linnet_bench.measure.protocol import Emit, Job
from linnet_bench.measure.runner import Collector
from tests.support.cli import bench, parse, read, settings
from tests.support.decoder_file import decoder_file
from tests.support.events import CHECK, FACTS, LENGTH, OPENED
from tests.support.files import BenchFiles

QUICK = ("--threads", "1", "--lengths", "4,8", "--samples", "3")


# -- arguments -----------------------------------------------------------------------------------------


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "usable_cpus", lambda: 4)
    found = settings()
    assert found.lengths == (8, 16, 32, 64, 128, 256, 512)
    assert (found.threads, found.seconds, found.samples, found.cold_repeats) == ((1, 2), 1.0, None, 7)


def test_a_single_cpu_gets_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "usable_cpus", lambda: 1)
    assert settings().threads == (1,)


def test_samples_replace_the_time_and_quick_only_fills_gaps() -> None:
    found = settings("--samples", "30", "--quick", "--lengths", "5,5,3")
    assert (found.seconds, found.samples, found.lengths) == (None, 30, (5, 3))
    assert settings("--quick").seconds == 0.2


@pytest.mark.parametrize(
    "arguments",
    [("--samples", "0"), ("--seconds", "0"), ("--seconds", "nan"), ("--seconds", "4000"), ("--cold", "-1")],
)
def test_numbers_out_of_range_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgumentError, match="expected"):
        settings(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [("--lengths", "8,x"), ("--lengths", ""), ("--threads", "0"), ("--samples", "3", "--seconds", "1")],
)
def test_arguments_that_do_not_parse_end_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse("file.pte", *arguments)
    assert ended.value.code == 2
    assert "expected" in capsys.readouterr().err or "--samples" in arguments


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="absent.pte"):
        run(parse(str(tmp_path / "absent.pte")))
    with pytest.raises(FileUnreadableError, match="cannot be read"):
        run(parse(str(tmp_path)))


# -- the whole command ---------------------------------------------------------------------------------


def test_a_proven_file(bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = bench(bench_files.proven, *QUICK, "--cold", "1", "--output", out)
    assert done.returncode == 0, done.stderr
    assert "3 golden cases right before and after the clock ran" in done.stdout
    assert "that imports numpy" in done.stdout
    record = read(out)
    assert not record.partial
    assert [result.tokens for result in record.runs[0].lengths] == [4, 8]
    assert record.file.sha256 == file_sha256(bench_files.proven)
    assert record.environment.runtime["executorch"] == record.file.executorch_version
    cold = record.cold_start
    assert cold is not None
    assert cold.bare_ns[0] < cold.answer_ns[0]
    assert cold.bare_memory < min(cold.numpy_memory, cold.answer_memory)  # an answer needs no numpy
    assert cold.import_ns[0] + cold.load_ns[0] + cold.first_answer_ns[0] < cold.answer_ns[0]


def test_lengths_over_the_bound_are_told_if_they_were_asked_for(bench_files: BenchFiles) -> None:
    asked = bench(bench_files.proven, "--threads", "1", "--lengths", "4,99,100", "--samples", "3", "--cold", "0")
    assert (
        "linnet: warning: --lengths has 99,100, over the file's bound of 24 tokens; 24 is taken instead" in asked.stderr
    )
    default = bench(bench_files.proven, "--threads", "1", "--samples", "3", "--cold", "0")
    assert (default.returncode, "warning" in default.stderr) == (0, False)


def test_a_wrong_answer_reports_no_latency_and_ends_with_1(bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = bench(bench_files.wrong, *QUICK, "--output", out)
    assert done.returncode == 1, done.stderr
    assert "no latency, because the answers are wrong" in done.stdout
    assert " ms" not in done.stdout
    record = read(out)
    assert record.wrong
    assert record.runs[0].lengths == ()
    assert record.cold_start is None


def test_files_of_the_users_folder_do_not_stand_in_for_modules(bench_files: BenchFiles, tmp_path: Path) -> None:
    for name in ("json.py", "numpy.py", "linnet.py"):
        (tmp_path / name).write_text("raise RuntimeError('the wrong module')\n")
    command = [sys.executable, "-P", "-m", "linnet", "bench", str(bench_files.proven), *QUICK, "--cold", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_existing_output_is_refused_before_anything_runs(bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text("mine")
    done = bench(bench_files.proven, *QUICK, "--output", out)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--force" in done.stderr
    assert out.read_text() == "mine"


def test_a_file_that_is_no_program_ends_with_3(tmp_path: Path) -> None:
    path = tmp_path / "text.pte"
    path.write_text("not a program, but long enough to be looked at")
    done = bench(path, *QUICK)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr


def test_ctrl_c_keeps_the_finished_lengths_and_ends_the_children(bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = (str(bench_files.proven), "--threads", "1", "--lengths", "4,8", "--seconds", "1", "--output", str(out))
    with subprocess.Popen(
        [sys.executable, "-m", "linnet", "bench", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a test runner in the background may have been told to ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "8 tokens" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        shown, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted with Ctrl-C: only what had been finished is shown" in shown
    record = read(out)
    assert (record.partial, record.partial_reason) == (True, "interrupted with Ctrl-C")
    assert [result.tokens for result in record.runs[0].lengths] == [4]
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.parametrize("opened", [False, True])
def test_ctrl_c_before_the_first_result_writes_nothing_and_says_so(
    bench_files: BenchFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    opened: bool,
) -> None:  # fmt: skip
    def interrupted(job: Job, collector: Collector, on_event: Emit) -> None:
        if opened:
            collector.feed({**OPENED, "facts": FACTS})
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "run_worker", interrupted)
    out = tmp_path / "out.json"
    assert run(parse(str(bench_files.proven), "--output", str(out))) == 130
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err.endswith("linnet: interrupted before the first result: there is no record\n")


def test_a_failure_in_the_second_thread_count_keeps_the_first_and_is_raised(
    bench_files: BenchFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def second_fails(job: Job, collector: Collector, on_event: Emit) -> None:
        collector.feed({**OPENED, "facts": FACTS})
        if job.variant.threads == 2:
            collector.feed({"event": "failed", "name": "RunFailedError", "message": "out of luck"})
        else:
            collector.feed(LENGTH)

    monkeypatch.setattr(engine, "run_worker", second_fails)
    out = tmp_path / "out.json"
    with pytest.raises(RunFailedError, match="out of luck"):
        run(parse(str(bench_files.proven), "--threads", "1,2", "--output", str(out)))
    record = read(out)
    assert (record.partial, record.partial_reason) == (True, "out of luck")
    assert [(run.threads, len(run.lengths), run.error) for run in record.runs] == [(1, 1, ""), (2, 0, "out of luck")]
    assert "2 threads: no latency, because the run failed: out of luck" in capsys.readouterr().out


def test_ctrl_c_in_the_second_thread_count_keeps_the_first(
    bench_files: BenchFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def second_is_interrupted(job: Job, collector: Collector, on_event: Emit) -> None:
        for event in ({**OPENED, "facts": FACTS}, {"event": "checked", "check": CHECK}):
            collector.feed(event)
        if job.variant.threads == 2:
            raise KeyboardInterrupt
        collector.feed(LENGTH)

    monkeypatch.setattr(engine, "run_worker", second_is_interrupted)
    out = tmp_path / "out.json"
    status = run(parse(str(bench_files.proven), "--threads", "1,2", "--output", str(out)))
    assert status == 130
    record = read(out)
    assert record.partial
    assert [(run.threads, len(run.lengths)) for run in record.runs] == [(1, 1), (2, 0)]
    assert "interrupted" in capsys.readouterr().out


# -- decoders ------------------------------------------------------------------------------------------


def test_a_decoder_has_prompts_by_default_and_fewer_samples() -> None:
    found = settings_from(parse("file.pte"), "text-generation")
    assert (found.lengths, found.least_samples, found.method) == ((16, 128, 512), 5, "default")
    assert settings_from(parse("file.pte", "--quick"), "text-generation").lengths == (16, 128)


def test_the_official_method_is_refused_for_a_decoder() -> None:
    with pytest.raises(InvalidArgumentError, match="--official is a method for encoders"):
        settings_from(parse("file.pte", "--official"), "text-generation")


def test_a_proven_decoder(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    lengths = ("--threads", "1", "--lengths", "8,64", "--samples", "3", "--cold", "1")
    done = bench(decoder_file(), *lengths, "--output", out)
    assert done.returncode == 0, done.stderr
    assert "--lengths has 64, over the file's bound of 63 tokens" in done.stderr
    assert "golden cases right before and after the clock ran" in done.stdout
    assert "ms from process start to first token" in done.stdout
    record = read(out)
    (run_,) = record.runs
    assert [(result.context, result.token.summary.samples) for result in run_.decoding] == [(8, 96), (63, 96)]
    assert record.cold_start is not None


def test_rows_for_a_decoder_are_refused_by_name(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\na,b\n")
    command = [sys.executable, "-m", "linnet", "eval", str(decoder_file()), "--data", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "text-generation, which has no metric" in done.stderr
