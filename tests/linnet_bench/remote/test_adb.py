"""``linnet bench --device adb`` against a made-up phone that runs the real C runner, built for this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linnet_bench.record.record import Record, from_json
from linnet_bench.remote.adb import BASE
from tests.linnet_bench.remote.fake_adb import PROPERTIES, Phone
from tests.support.c_runner import NEEDS_COMPILER, compile_runner
from tests.support.decoder_file import decoder_file
from tests.support.files import BenchFiles

QUICK = ("--threads", "1", "--lengths", "4,8", "--samples", "3")

pytestmark = NEEDS_COMPILER


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like dist/linnet-bench-runner-x86_64, whose libraries are those of the installed package."""
    folder = tmp_path_factory.mktemp("runner")
    compile_runner(folder / "linnet_bench", "-O1")
    run = folder / "run"
    run.write_text('#!/bin/sh\nexec "$(dirname "$0")/linnet_bench" "$@"\n')
    run.chmod(0o755)
    return folder


@pytest.fixture
def phone(tmp_path: Path) -> Phone:
    return Phone.make(tmp_path / "phone")


def words(file: Path, runner: Path, *arguments: str | Path) -> list[str]:
    start = [sys.executable, "-m", "linnet", "bench", str(file), "--runner", str(runner), "--device"]
    return [*start, *map(str, arguments)]


def bench(phone: Phone, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = words(*arguments)  # type: ignore[arg-type]
    return subprocess.run(command, env=phone.environment, capture_output=True, text=True, check=False, timeout=300)


def read(path: Path) -> Record:
    return from_json(path.read_text(encoding="utf-8"))


def pushed(phone: Phone) -> list[str]:
    """Targets of all pushes so far."""
    return [call[-1] for call in phone.calls() if "push" in call]


def test_a_phone_is_measured_and_the_second_call_copies_nothing(
    phone: Phone, runner: Path, bench_files: BenchFiles, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    first = bench(phone, bench_files.proven, runner, "adb:R58M", *QUICK, "--output", out)
    assert first.returncode == 0, first.stderr
    assert "3 golden cases right before and after the clock ran" in first.stdout
    record = read(out)
    assert (record.device, record.partial, record.cold_start) == ("adb:R58M", False, None)
    assert record.file.name == "proven.pte"
    assert record.file.max_length == 24
    assert record.environment.board == "Acme Phone 1 (AC123)"
    assert record.environment.os.startswith("Android 14, Linux")
    assert record.environment.versions.python == "none (C runner)"
    (run,) = record.runs
    assert [(length.tokens, length.summary.samples, len(length.samples_ns)) for length in run.lengths] == [
        (4, 3, 3),
        (8, 3, 3),
    ]
    assert (run.check.cases, run.check.before, run.check.after, run.check.message) == (3, True, True, "")
    assert run.peak_memory is not None
    assert all(target.startswith(BASE) for target in pushed(phone))
    assert len(pushed(phone)) == 3  # runner, file, job

    second = bench(phone, bench_files.proven, runner, "adb", *QUICK)  # the only phone needs no serial
    assert second.returncode == 0, second.stderr
    assert [Path(target).name.partition("-")[0] for target in pushed(phone)[3:]] == ["job"]
    left = sorted(path.name for path in (phone.storage / "linnet").iterdir())
    assert left[0] == "files"
    assert left[1].startswith("runner-")
    assert len(left) == 2  # no job, no pid

    with subprocess.Popen(["sleep", "60"]) as other:
        note = phone.storage / "linnet" / "pid-00000000"
        note.write_text(f"{other.pid}\n")
        busy = bench(phone, bench_files.proven, runner, "adb", *QUICK)
        assert busy.returncode == 5
        assert f"another linnet bench is at work there (process {other.pid})" in busy.stderr
        assert other.poll() is None  # and it was left alone
        assert note.exists()
        other.kill()

    cleaned = subprocess.run(
        [sys.executable, "-m", "linnet", "bench", "--clean-device", "--device", "adb"],
        env=phone.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert cleaned.returncode == 0, cleaned.stderr
    assert not (phone.storage / "linnet").exists()


def test_a_wrong_answer_of_a_phone_reports_no_latency(
    phone: Phone, runner: Path, bench_files: BenchFiles, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    done = bench(phone, bench_files.wrong, runner, "adb", *QUICK, "--output", out)
    assert done.returncode == 1, done.stderr
    assert "1 of 3 golden cases differ" in done.stdout
    record = read(out)
    assert record.wrong
    assert record.runs[0].lengths == ()


def test_a_decoder_on_a_phone(phone: Phone, runner: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = bench(phone, decoder_file(), runner, "adb:R58M", *QUICK, "--output", out)
    assert done.returncode == 0, done.stderr
    assert "golden cases right before and after the clock ran" in done.stdout
    assert "decoding by" in done.stdout
    (run,) = read(out).runs
    assert [(result.context, result.token.summary.samples) for result in run.decoding] == [(4, 96), (8, 96)]
    assert (run.check.before, run.check.after) == (True, True)


@pytest.mark.parametrize(
    ("settings", "status", "message"),
    [
        ({"serials": []}, 5, "no phone is connected: switch on USB debugging"),
        ({"serials": ["A", "B"]}, 5, "several phones are connected"),
        ({"refuse": "device unauthorized."}, 5, "allow USB debugging"),
        ({"properties": {**PROPERTIES, "ro.product.cpu.abi": "armeabi-v7a"}}, 4, "a phone with armeabi-v7a"),
        ({"push_fails": "couldn't write: No space left on device"}, 5, "the phone's disk is full"),
    ],
)
def test_what_goes_wrong_is_named(
    phone: Phone, runner: Path, bench_files: BenchFiles, settings: dict[str, object], status: int, message: str
) -> None:
    phone.set(**settings)
    done = bench(phone, bench_files.proven, runner, "adb", *QUICK)
    assert done.returncode == status
    assert done.stderr.strip().splitlines()[-1].startswith("linnet: error: adb: ")
    assert message in done.stderr


def test_a_runner_that_is_missing(phone: Phone, bench_files: BenchFiles, tmp_path: Path) -> None:
    done = bench(phone, bench_files.proven, tmp_path, "adb", *QUICK)
    assert done.returncode == 4
    assert "build it with `make runner`" in done.stderr


def process_of(phone: Phone) -> int:
    """The process that measures on the phone."""
    (path,) = (phone.storage / "linnet").glob("pid-*")
    return int(path.read_text())


def is_running(pid: int) -> bool:
    """A process that nobody has waited for yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if text in line:
            return
    raise AssertionError(seen)


def test_ctrl_c_ends_the_process_on_the_phone(
    phone: Phone, runner: Path, bench_files: BenchFiles, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    slow = ("--threads", "1", "--lengths", "4,8,16", "--samples", "150000", "--output", out)
    with subprocess.Popen(
        words(bench_files.proven, runner, "adb", *slow), env=phone.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        wait_for(process, "8 tokens")
        pid = process_of(phone)
        assert is_running(pid)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    record = read(out)
    assert (record.partial, record.partial_reason) == (True, "interrupted with Ctrl-C")
    assert [length.tokens for length in record.runs[0].lengths] in ([4], [4, 8])  # 8 may just have ended
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)
    assert list((phone.storage / "linnet").glob("*-????????")) == []


def test_a_phone_that_is_unplugged_keeps_what_was_finished(
    phone: Phone, runner: Path, bench_files: BenchFiles, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    slow = ("--threads", "1", "--lengths", "4,8,16", "--samples", "150000", "--output", out)
    with subprocess.Popen(
        words(bench_files.proven, runner, "adb", *slow), env=phone.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        wait_for(process, "8 tokens")
        phone.set(serials=[])
        os.kill(int((phone.folder / "shell.pid").read_text()), signal.SIGKILL)
        os.kill(process_of(phone), signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "linnet: error: adb: the connection broke off" in said
    assert "tokens" in said.partition("during: ")[2]
    record = read(out)
    assert record.partial
    assert "the connection broke off" in record.partial_reason
    assert [length.tokens for length in record.runs[0].lengths] in ([4], [4, 8])  # 8 may just have ended
