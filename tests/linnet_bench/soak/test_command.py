"""``linnet soak`` from its arguments to its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.decoder_file import decoder_file
from tests.support.files import BenchFiles
from tests.support.task_files import files_of_every_task

FEW = ("--requests", "3000", "--windows", "5", "--reload-every", "100", "--lengths", "6,99", "--most-drift", "1000")


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "linnet", "soak", *map(str, arguments)]


def soak(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, timeout=500)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_a_sound_file_holds(bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "soak.json"
    done = soak(bench_files.proven, *FEW, "--output", out)
    assert done.returncode == 0, done.stdout + done.stderr
    record = read(out)
    assert not record["partial"]
    assert record["verdicts"] == {"answers": True, "requests": True, "memory": True, "latency": True}
    assert (record["golden_before"], record["golden_after"]) == (True, True)
    assert sum(window["requests"] for window in record["windows"]) == 3000
    assert [window["loads"] for window in record["windows"]] == [100, 6, 6, 6, 6]
    assert record["file"]["name"] == "proven.pte"
    assert "held: 0 of 3,000 differ" in done.stdout
    assert "8 texts of 6, 24 tokens at most" in done.stdout
    assert "--lengths has 99, over the file's bound of 24 tokens; 24 is taken instead" in done.stderr
    assert done.stderr.splitlines()[-2].startswith("3,000 of 3,000 requests")
    assert soak(bench_files.proven, *FEW, "--output", out).returncode == 2  # it stands already


@pytest.mark.parametrize("requests", [500, pytest.param(6250, marks=pytest.mark.slow)])  # 10^5 tokens
def test_a_decoder_holds(tmp_path: Path, requests: int) -> None:
    out = tmp_path / "soak.json"
    options = ("--requests", str(requests), "--windows", "5", "--reload-every", "100", "--most-drift", "1000")
    done = soak(decoder_file(), *options, "--output", out)
    assert done.returncode == 0, done.stdout + done.stderr
    record = read(out)
    assert record["verdicts"] == {"answers": True, "requests": True, "memory": True, "latency": True}
    assert sum(window["requests"] for window in record["windows"]) == requests


def test_golden_cases_that_differ_fail_the_soak(bench_files: BenchFiles, tmp_path: Path) -> None:
    done = soak(bench_files.wrong, *FEW, "--output", tmp_path / "soak.json")
    assert done.returncode == 1
    assert "golden cases before: NOT reproduced" in done.stdout
    assert not read(tmp_path / "soak.json")["verdicts"]["answers"]


def test_a_file_without_golden_cases_is_judged_by_its_first_answers(bench_files: BenchFiles) -> None:
    done = soak(bench_files.unproven, *FEW)
    assert done.returncode == 0, done.stdout
    assert "golden cases before: none to repeat" in done.stdout


@pytest.mark.parametrize("arguments", [("--clients", "0"), ("--requests", "20"), ("--most-drift", "0.1")])
def test_impossible_numbers_are_refused(bench_files: BenchFiles, arguments: Sequence[str]) -> None:
    done = soak(bench_files.proven, *arguments)
    assert done.returncode == 2
    assert "expected at least" in done.stderr


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert soak(tmp_path / "no.pte").returncode == 3


def started(bench_files: BenchFiles, out: Path) -> subprocess.Popen[str]:
    """A soak that would take hours, once its first window is done."""
    long = ("--requests", "100000000", "--windows", "100000", "--output", str(out))
    process = subprocess.Popen(
        command(bench_files.proven, *long), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    while not process.stderr.readline().startswith("2,000 of"):
        assert process.poll() is None
    return process


def children(process: subprocess.Popen[str]) -> list[int]:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(word) for word in text.split()]


def gone(pid: int) -> bool:
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_keeps_the_windows_and_leaves_no_process(bench_files: BenchFiles, tmp_path: Path) -> None:
    process = started(bench_files, tmp_path / "soak.json")
    (worker,) = children(process)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to both
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert gone(worker)
    record = read(tmp_path / "soak.json")
    assert record["partial"]
    assert len(record["windows"]) >= 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_dies_is_named_with_its_signal(bench_files: BenchFiles, tmp_path: Path) -> None:
    process = started(bench_files, tmp_path / "soak.json")
    (worker,) = children(process)
    os.kill(worker, signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "killed by SIGKILL" in said
    assert "killed by SIGKILL" in read(tmp_path / "soak.json")["error"]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["text-classification", "feature-extraction", "question-answering"])
def test_two_hundred_thousand_requests_of_a_small_bert(tmp_path: Path, task: str) -> None:
    file = files_of_every_task() / f"{task}.pte"
    done = soak(file, "--requests", "200000", "--windows", "10", "--reload-every", "500",
                "--most-drift", "1000", "--output", tmp_path / "soak.json")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert read(tmp_path / "soak.json")["growth"] <= 2_000_000
