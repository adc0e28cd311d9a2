"""The C runner by itself: its table, its events, its figures, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet_bench.measure.decoder import DECODED
from linnet_bench.record.record import DecodeResult, LengthResult, State, from_data
from linnet_bench.remote.runner_job import prepare_job
from tests.support.c_runner import compile_runner
from tests.support.decoder_file import CONTEXT, decoder_file
from tests.support.files import BenchFiles


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner with every access to memory and every undefined operation checked."""
    return compile_runner(tmp_path_factory.mktemp("runner") / "linnet_bench", "-g", "-fsanitize=address,undefined")


def run(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    # leaks are looked for, those of the libraries inside liblinnet aside
    command = [str(program), *map(str, arguments)]
    environment = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_table_for_people(program: Path, bench_files: BenchFiles) -> None:
    done = run(program, bench_files.proven, "--lengths", "4,8,200,300", "--samples", "3")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[1][:3] == ["tokens", "p50", "ms"]
    assert [row[0] for row in rows[2:5]] == ["4", "8", "24"]  # cut to the file's bound, once
    assert [row[-1] for row in rows[2:5]] == ["3", "3", "3"]
    assert rows[5][:2] == ["peak", "memory"]


def test_events_are_those_of_the_python_worker(program: Path, bench_files: BenchFiles) -> None:
    done = run(program, bench_files.proven, "--lengths", "4,8", "--samples", "150", "--fused", "no", "--events")
    told = events(done)
    assert [event["event"] for event in told] == ["opened", "measuring", "length", "measuring", "length", "finished"]
    assert told[0]["facts"]["task"] == "text-classification"
    assert told[0]["facts"]["max_length"] == 24
    assert set(told[0]["runtime"]["backends"].split(",")) == {"XnnpackBackend", "LinnetBackend"}
    result = from_data(LengthResult, told[2]["result"])
    samples = np.array(result.samples_ns)
    assert len(samples) == 150
    for q, found in ((50, result.summary.p50_ns), (90, result.summary.p90_ns), (99, result.summary.p99_ns)):
        assert found == np.percentile(samples, q, method="inverted_cdf")
    assert result.summary.mean_ns == pytest.approx(samples.mean(), abs=1e-3)
    assert result.summary.stdev_ns == pytest.approx(samples.std(ddof=1), abs=1e-2)
    assert (result.summary.min_ns, result.summary.max_ns) == (samples.min(), samples.max())
    assert result.tokens_per_second == pytest.approx(4 / (result.summary.p50_ns / 1e9))
    from_data(State, told[-1]["after"])
    assert told[-1]["peak_memory"] > 1e6


def test_the_answers_to_a_job_are_judged_right_and_wrong(
    program: Path, bench_files: BenchFiles, tmp_path: Path
) -> None:
    for file, right in ((bench_files.proven, True), (bench_files.wrong, False), (bench_files.unproven, True)):
        job, lengths = prepare_job(file, (4, 8, 100))
        assert lengths == (4, 8, 24)
        path = tmp_path / "job"
        path.write_text(job.text)
        told = events(run(program, file, "--job", path, "--samples", "2", "--events"))
        answers = {event["case"]: event["outputs"] for event in told if event["event"] == "outputs"}
        check = job.judge(answers, None)
        assert check.before is right
        assert check.cases == (0 if file == bench_files.unproven else 3)
        assert job.judge(answers, check).after is right
        assert [event["result"]["tokens"] for event in told if event["event"] == "length"] == [4, 8, 24]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not begin with"),
        ("linnet-bench-job 2 1\n", "does not begin with"),
        ("linnet-bench-job 1 9\n", "does not begin with"),
        ("linnet-bench-job 1 2\n", "no length"),
        ("linnet-bench-job 1 2\nlength 4 1 2 3", "fewer ids"),
        ("linnet-bench-job 1 2\nlength -4 1 2 3", "no number of tokens"),
        ("linnet-bench-job 1 2\nlength 99999999999999999999 1", "no number of tokens"),
        ("linnet-bench-job 1 2\nwidth 4", "neither"),
        ("linnet-bench-job 1 2\ncase 1 2 0", "without its number of rows"),
        ("linnet-bench-job 1 2\ncase 1 2 0 5 1", "fewer rows"),
        ("linnet-bench-job 1 1\nlength 4 2 3 4 5", "inputs"),
        ("linnet-bench-job 1 2\nlength 4 2 3 4 99999 0 0 0 0", "99999"),
    ],
)
def test_a_job_that_is_wrong_is_refused(
    program: Path, bench_files: BenchFiles, tmp_path: Path, text: str, message: str
) -> None:
    job = tmp_path / "job"
    job.write_text(text)
    done = run(program, bench_files.proven, "--job", job, "--samples", "1", "--events")
    assert done.returncode == 1
    assert done.stderr == ""
    (failed,) = events(done)
    assert failed["event"] == "failed"
    assert message in failed["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--lengths", "4,8"),
        ("FILE", "--lengths", "4,,8"),
        ("FILE", "--lengths", "0"),
        ("FILE", "--samples", "0"),
        ("FILE", "--seconds", "nan"),
        ("FILE", "--threads"),
        ("FILE", "--fused", "maybe"),
        ("FILE", "--nothing", "1"),
    ],
)
def test_wrong_usage_ends_with_2(program: Path, bench_files: BenchFiles, arguments: tuple[str, ...]) -> None:
    done = run(program, *(str(bench_files.proven) if argument == "FILE" else argument for argument in arguments))
    assert done.returncode == 2
    assert "usage: linnet_bench FILE" in done.stderr


def test_a_file_that_is_refused_keeps_its_status(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.pte"
    path.write_text("not a program, but long enough to be looked at")
    (failed,) = events(run(program, path, "--events"))
    assert (failed["status"], failed["name"]) == (202, "LINNET_NOT_A_PROGRAM")
    done = run(program, tmp_path / "absent.pte")
    assert done.returncode == 1
    assert "absent.pte" in done.stderr


# -- decoders ------------------------------------------------------------------------------------------


def test_a_decoder_has_the_events_of_the_python_worker_and_is_judged(program: Path, tmp_path: Path) -> None:
    job, lengths = prepare_job(decoder_file(), (8, 500))
    assert lengths == (8, CONTEXT - 1)
    path = tmp_path / "job"
    path.write_text(job.text)
    told = events(run(program, decoder_file(), "--job", path, "--samples", "3", "--events"))
    names = [event["event"] for event in told if event["event"] != "outputs"]
    assert names == ["opened", *("measuring", "length", "decode") * 2, "finished"]
    decoding = [from_data(DecodeResult, event["result"]) for event in told if event["event"] == "decode"]
    assert [result.context for result in decoding] == [8, CONTEXT - 1]
    assert [len(result.token.samples_ns) for result in decoding] == [3 * DECODED] * 2
    prefill = [from_data(LengthResult, event["result"]) for event in told if event["event"] == "length"]
    for filled, result in zip(prefill, decoding, strict=True):
        assert all(one < two for one, two in zip(filled.samples_ns, result.first_token.samples_ns, strict=True))
    answers = [event["outputs"] for event in told if event["event"] == "outputs"]
    assert len(answers) == 2 * len(job.cases)  # before the timing and after it
    right = dict(enumerate(answers[: len(job.cases)]))
    check = job.judge(right, None)
    assert (check.cases, check.before, check.message) == (len(job.cases), True, "")
    assert job.judge(dict(enumerate(answers[len(job.cases) :])), check).after is True
    output = right[1][0]
    best, most, recorded = output["rows"][0]
    for rows in ([best, most + 1.0, recorded + 1.0], [(best + 1) % 420, most + 9.0, recorded], [best, None, None]):
        changed = {**right, 1: [{**output, "rows": [rows, *output["rows"][1:]]}]}
        assert job.judge(changed, None).before is False


def test_a_decoder_has_a_table_for_people_and_refuses_the_plain_method(program: Path) -> None:
    done = run(program, decoder_file(), "--lengths", "8,99", "--samples", "3")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows[2:8]] == ["8", "first", "next", "63", "first", "next"]
    refused = run(program, decoder_file(), "--lengths", "8", "--fused", "no")
    assert (refused.returncode, "got --fused no" in refused.stderr) == (1, True)
