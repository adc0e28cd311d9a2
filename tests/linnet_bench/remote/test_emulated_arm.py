"""``--device ssh://...`` with a 64-bit ARM userland behind the sshd: nothing of x86-64 can be taken there."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tools import emulated_aarch64 as machine
from tools.emulated_aarch64 import BOOKWORM, ROOT, SOUND, UnavailableError

from linnet_bench.record.record import from_json
from tests.linnet_bench.remote.bench_there import NewServer
from tests.linnet_bench.remote.fake_adb import PROPERTIES, Phone
from tests.linnet_bench.remote.server import Server
from tests.support.files import BenchFiles

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def emulated() -> list[Path]:
    """Make the machine and return the wheels for it: linnet's and numpy's."""
    try:
        machine.check_host()
        machine.unpack_emulator(SOUND)
        machine.unpack_userland(BOOKWORM)
        machine.build_wheels()
        return [ROOT / "dist", machine.download_numpy(BOOKWORM)]
    except UnavailableError as error:
        pytest.skip(f"SKIPPED: an emulated ARM machine behind sshd: {error}")


def write_python(folder: Path) -> Path:
    """A ``python3`` that is ARM's; processes that it starts are again this script, since it is ``sys.executable``."""
    python = folder / "python3"
    emulator = f"{SOUND.path} -cpu cortex-a76 -0 {python} -L {BOOKWORM.folder}"
    python.write_text(f'#!/bin/sh\nexport PYTHONHOME={BOOKWORM.folder}/usr\nexec {emulator} {BOOKWORM.program} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return folder


def bench(server: Server, file: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "linnet", "bench", str(file), "--device", server.address, *map(str, arguments)]
    return subprocess.run(
        command, env=server.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=560
    )


def test_a_board_without_numpy_and_network_is_measured(
    new_server: NewServer, emulated: list[Path], bench_files: BenchFiles, tmp_path: Path
) -> None:
    path = f"{write_python(tmp_path)}{os.pathsep}/usr/bin{os.pathsep}/bin"
    quick = ("--threads", "1", "--lengths", "4,8", "--samples", "2", "--cold", "1")
    out = tmp_path / "out.json"
    with new_server(path=path) as server:
        refused = bench(server, bench_files.proven, *quick, "--wheel", ROOT / "build" / "install")
        assert refused.returncode == 4
        assert "no wheel of linnet fits this device (Linux aarch64, 64-bit, glibc 2.36, CPython 3.11)" in refused.stderr
        assert "linux_x86_64.whl" in refused.stderr
        assert "make wheel-aarch64" in refused.stderr

        wheels = [word for place in emulated for word in ("--wheel", place)]
        done = bench(server, bench_files.proven, *quick, *wheels, "--output", out)
        assert done.returncode == 0, done.stderr
        assert "copying numpy-" in done.stderr
        again = bench(server, bench_files.proven, *quick, *wheels)
        assert again.returncode == 0, again.stderr
        assert "copying" not in again.stderr
    record = from_json(out.read_text(encoding="utf-8"))
    assert record.environment.architecture == "aarch64"
    assert "dotprod" in record.environment.runtime["cpu_features"].split(",")
    (run,) = record.runs
    assert (run.check.before, run.check.after) == (True, True)
    assert record.cold_start is not None


def test_the_runner_for_phones_runs_with_its_own_c_library(
    emulated: list[Path], bench_files: BenchFiles, tmp_path: Path
) -> None:
    machine.unpack_toolchain()
    tool = machine.TOOLS / "build_runner.sh"
    environment = {"PYTHON": sys.executable, "BIN": str(Path(sys.executable).parent)}
    machine.command(["sh", tool, "aarch64"], environment)
    built = ROOT / "dist" / "linnet-bench-runner-aarch64"
    runner = shutil.copytree(built, tmp_path / "runner")
    run = runner / "run"
    assert 'exec "$here/lib/ld-linux-aarch64.so.1"' in run.read_text()
    # this machine cannot start ARM's loader by itself; no root folder is given, so nothing comes from elsewhere
    run.write_text(run.read_text().replace('exec "$here', f'exec {SOUND.path} -cpu cortex-a53 "$here'))
    phone = Phone.make(tmp_path / "phone")
    phone.set(properties={**PROPERTIES, "ro.product.cpu.abi": "arm64-v8a"})
    out = tmp_path / "out.json"
    words = ["--runner", str(runner), "--threads", "1", "--lengths", "4,8", "--samples", "2", "--output", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "linnet", "bench", str(bench_files.proven), "--device", "adb", *words],
        env=phone.environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (measured,) = from_json(out.read_text(encoding="utf-8")).runs
    assert (measured.check.cases, measured.check.before, measured.check.after) == (3, True, True)
    assert [length.tokens for length in measured.lengths] == [4, 8]
