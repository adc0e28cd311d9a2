"""``linnet bench --device ssh://...`` against a real sshd on loopback."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from linnet_bench.record.record import Record, from_json
from tests.linnet_bench.remote.bench_there import NewServer, bench_words, run_bench
from tests.linnet_bench.remote.server import Server, make_key
from tests.support.files import BenchFiles

ENDED_SECONDS = 20


def read(path: Path) -> Record:
    return from_json(path.read_text(encoding="utf-8"))


def at_work(server: Server) -> list[int]:
    """Processes that live in the device's home folder."""
    home = f"HOME={server.home}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # ended meanwhile
            if home in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def leftovers(server: Server) -> list[str]:
    """Unfinished files on the device."""
    return [str(path) for path in server.cache.rglob(".*")]


def test_the_second_call_copies_nothing(server: Server, bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    first = run_bench(server, bench_files.proven, "--device", server.address, "--output", out)
    assert first.returncode == 0, first.stderr
    assert "copying linnet-" in first.stderr
    assert "copying proven.pte" in first.stderr
    assert "3 golden cases right before and after the clock ran" in first.stdout
    assert "differs from this linnet" not in first.stdout
    record = read(out)
    assert record.device == server.address
    assert record.file.name == "proven.pte"
    assert not record.partial
    assert [result.tokens for result in record.runs[0].lengths] == [4, 8]
    assert record.runs[0].lengths[0].summary.samples == 3

    second = run_bench(server, bench_files.proven, "--device", server.address, "--output", out, "--force")
    assert second.returncode == 0, second.stderr
    assert "copying" not in second.stderr
    assert "building" not in second.stderr
    assert leftovers(server) == []
    assert [path.name for path in (server.cache / "files").iterdir()] == [f"{record.file.sha256}.pte"]
    assert list((server.cache / "wheels").iterdir()) == []

    with (server.cache / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("process 1 since then")
        lock.flush()
        busy = run_bench(server, bench_files.proven, "--device", server.address)
    assert busy.returncode == 5
    assert "another linnet bench is at work there (process 1 since then)" in busy.stderr

    cleaned = subprocess.run(
        [sys.executable, "-m", "linnet", "bench", "--clean-device", "--device", server.address],
        env=server.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert cleaned.returncode == 0, cleaned.stderr
    assert "removed" in cleaned.stdout
    assert not server.cache.exists()


def test_what_one_device_lacks_stops_no_other(server: Server, bench_files: BenchFiles, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"  # speaks like a Python that is too old
    old.write_text(
        "#!/bin/sh\n"
        'echo \'{"executable": "/usr/bin/python3.9", "version": [3, 9, 2], "bits": 64, "system": "Linux",'
        ' "machine": "aarch64", "packages": {}, "free_threaded": false, "libc": "glibc 2.31"}\'\n'
    )
    old.chmod(0o755)
    arm = tmp_path / "python-arm"
    arm.write_text(old.read_text().replace("[3, 9, 2]", "[3, 11, 2]"))
    arm.chmod(0o755)
    devices = tmp_path / "devices.toml"
    devices.write_text(
        f'[here]\ndevice = "{server.address}"\n'
        f'[old-board]\ndevice = "ssh://localhost:{server.port}"\npython = "{old}"\n'
        '[off]\ndevice = "ssh://127.0.0.1:1"\n'
    )
    known = (server.folder / "known_hosts").read_text()
    (server.folder / "known_hosts").write_text(known + known.replace("127.0.0.1", "localhost"))
    records = tmp_path / "records"
    done = run_bench(server, bench_files.proven, "--devices-file", devices, "--output", records)
    assert [path.name for path in records.iterdir()] == ["here.json"], done.stderr
    assert read(records / "here.json").device == "here"
    lines = {line.partition(":")[0]: line for line in done.stdout.splitlines()}
    assert "Python 3.9.2, too old" in lines["old-board"]
    assert "expected Python 3.11 or newer" in lines["old-board"]
    assert "nothing listens there" in lines["off"]
    assert done.returncode == 5  # they failed in different ways: 4 and 5
    assert "Traceback" not in done.stderr

    devices.write_text(f'[pi]\ndevice = "{server.address}"\npython = "{arm}"\n')
    lacking = run_bench(server, bench_files.proven, "--devices-file", devices)
    assert lacking.returncode == 4
    assert "pi: no wheel of linnet fits this device (Linux aarch64, 64-bit, glibc 2.31, CPython 3.11)" in lacking.stderr
    assert "make wheel-aarch64" in lacking.stderr
    assert lacking.stdout == ""


def test_a_wrong_host_key_is_refused(server: Server, bench_files: BenchFiles, tmp_path: Path) -> None:
    server.write_known_hosts(make_key(tmp_path / "another"))
    done = run_bench(server, bench_files.proven, "--device", server.address)
    assert done.returncode == 5
    assert f"{server.address}: its host key is not the one that your known_hosts has" in done.stderr
    (server.folder / "known_hosts").write_text("")
    done = run_bench(server, bench_files.proven, "--device", server.address)
    assert done.returncode == 5
    assert "its host key is not known: connect once by hand" in done.stderr
    assert not server.cache.exists()


def test_a_key_that_is_refused(server: Server, bench_files: BenchFiles) -> None:
    (server.folder / "authorized_keys").write_text("")
    done = run_bench(server, bench_files.proven, "--device", server.address)
    assert done.returncode == 5
    assert "it refused your key: ssh-copy-id" in done.stderr


def test_wrong_answers_on_the_device_end_with_1(server: Server, bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = run_bench(server, bench_files.wrong, "--device", server.address, "--output", out)
    assert done.returncode == 1, done.stderr
    assert "no latency, because the answers are wrong" in done.stdout
    assert read(out).wrong


def started(server: Server, file: Path, out: Path) -> subprocess.Popen[str]:
    """Start a measurement whose second length takes long, and return when that has begun."""
    words = list(bench_words(file, "--device", server.address, "--output", out))
    words[words.index("--samples") + 1] = "60000"
    process = subprocess.Popen(
        words, env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "8 tokens" in line:
            break
    return process


def wait_for_silence(server: Server) -> None:
    deadline = time.monotonic() + ENDED_SECONDS
    while at_work(server) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert at_work(server) == []


def test_ctrl_c_ends_the_device_too_and_keeps_what_is_finished(
    server: Server, bench_files: BenchFiles, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    with started(server, bench_files.proven, out) as process:
        assert at_work(server)
        os.killpg(process.pid, signal.SIGINT)
        shown, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    record = read(out)
    assert (record.partial, record.partial_reason) == (True, "interrupted with Ctrl-C")
    assert record.device == server.address
    assert [result.tokens for result in record.runs[0].lengths] == [4]
    assert "interrupted" in shown
    wait_for_silence(server)
    assert leftovers(server) == []
    again = run_bench(server, bench_files.proven, "--device", server.address)  # the lock is free
    assert again.returncode == 0, again.stderr


def test_a_device_that_reboots_half_way(server: Server, bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    with started(server, bench_files.proven, out) as process:
        server.cut()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 5
    last = said.strip().splitlines()[-1]
    assert last.startswith(f"linnet: error: {server.address}: the connection broke off")
    assert last.endswith("during: 1 thread: 8 tokens")
    record = read(out)
    assert record.partial
    assert "the connection broke off" in record.partial_reason
    assert [result.tokens for result in record.runs[0].lengths] == [4]
    wait_for_silence(server)


@pytest.mark.slow  # half a minute of silence
def test_a_device_that_falls_silent_is_given_up(server: Server, bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    with started(server, bench_files.proven, out) as process:
        sessions = server.sessions()
        for pid in sessions:
            os.kill(pid, signal.SIGSTOP)  # no end of the connection is seen, as when power fails
        _, said = process.communicate(timeout=120)
        for pid in sessions:
            os.kill(pid, signal.SIGCONT)
    assert process.returncode == 5
    assert "the connection broke off" in said
    assert read(out).partial


def test_when_this_machine_goes_away_nothing_stays_there(
    server: Server, bench_files: BenchFiles, tmp_path: Path
) -> None:
    with started(server, bench_files.proven, tmp_path / "out.json") as process:
        process.kill()
    wait_for_silence(server)
    deadline = time.monotonic() + ENDED_SECONDS
    while server.sessions() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.sessions() == []


PIP_WITHOUT_NETWORK = """
import sys
if "--version" not in sys.argv:
    sys.exit("ERROR: Could not find a version\\nERROR: No matching distribution found for numpy>=1.26")
"""


def test_numpy_that_cannot_be_had_says_how_to_bring_it(
    new_server: NewServer, bench_files: BenchFiles, tmp_path: Path
) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    (site,) = (tmp_path / "bare").glob("lib/python*/site-packages")
    (site / "pip").mkdir()
    (site / "pip" / "__main__.py").write_text(PIP_WITHOUT_NETWORK)
    path = f"{tmp_path / 'bare' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with new_server(path=path) as server:
        done = run_bench(server, bench_files.proven, "--device", server.address)
    assert done.returncode == 4
    assert "pip could not install numpy>=1.26 there: ERROR: No matching distribution found" in done.stderr
    assert "pip download --only-binary :all: --platform manylinux_2_28_" in done.stderr
    assert leftovers(server) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_named(new_server: NewServer, bench_files: BenchFiles, small_disk: Path) -> None:
    with new_server(home=small_disk) as server:
        done = run_bench(server, bench_files.proven, "--device", server.address)
    assert done.returncode == 5
    assert f"{server.address}: the disk is full there: 1.0 MB free" in done.stderr
    assert leftovers(server) == []


def test_a_disk_that_fills_up_while_copying_keeps_nothing_half(small_disk: Path, tmp_path: Path) -> None:
    """The look before copying can be outrun: the copy itself must refuse, and leave nothing."""
    bootstrap = Path(__file__).parents[3] / "benchmarks" / "linnet_bench" / "remote" / "bootstrap.py"
    request = {"op": "put", "name": "files/big.pte", "size": 4_000_000, "sha256": "0" * 64}
    done = subprocess.run(
        [sys.executable, "-P", str(bootstrap)], input=json.dumps(request).encode() + b"\n" + bytes(4_000_000),
        env={**os.environ, "XDG_CACHE_HOME": str(small_disk)}, capture_output=True, check=True,
    )  # fmt: skip
    (event,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert event["name"] == "DeviceError"
    assert event["message"].startswith("the disk is full there: ")
    assert [path for path in small_disk.rglob("*") if path.is_file() and path.name != "lock"] == []


def test_a_file_that_arrives_changed_is_refused(tmp_path: Path) -> None:
    bootstrap = Path(__file__).parents[3] / "benchmarks" / "linnet_bench" / "remote" / "bootstrap.py"
    request = {"op": "put", "name": "files/big.pte", "size": 3, "sha256": "0" * 64}
    done = subprocess.run(
        [sys.executable, "-P", str(bootstrap)], input=json.dumps(request).encode() + b"\nabc",
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)}, capture_output=True, check=True,
    )  # fmt: skip
    assert b"did not arrive whole" in done.stdout
    assert not (tmp_path / "linnet" / "devices" / "files" / "big.pte").exists()
