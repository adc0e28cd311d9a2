"""``linnet tune --device``: files are brought there as for ``linnet bench``, the profile is kept where they run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from linnet.format.footer import file_identity
from linnet_bench.tune.profile import read_profile
from tests.linnet_bench.remote.bench_there import WHEELS
from tests.linnet_bench.remote.server import Server
from tests.support.files import BenchFiles

QUICK = ("--threads", "1,2", "--lengths", "4,8", "--seconds", "0.02", "--rounds", "1")


def tune(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    if not list(WHEELS.glob("linnet-*.whl")):
        pytest.skip("no wheel in build/install: make .venv/.linnet")
    return subprocess.run(
        [sys.executable, "-m", "linnet", "tune", *map(str, arguments), *QUICK, "--wheel", str(WHEELS)],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_the_profile_of_a_device_is_kept_there_and_comes_back(
    server: Server, bench_files: BenchFiles, tmp_path: Path
) -> None:
    other = shutil.copy(bench_files.proven, tmp_path / "other.pte")
    out = tmp_path / "profile.json"
    done = tune(bench_files.proven, other, "--device", server.address, "-o", out, **server.environment)
    assert done.returncode == 0, done.stderr
    assert "copying proven.pte" in done.stderr
    assert "1 thread" in done.stdout
    assert 'linnet.load(FILE, profile="auto") on that device' in done.stdout
    profile = read_profile(out)
    identity = file_identity(str(bench_files.proven))
    assert set(profile.files) == {identity}  # a copy is the same file
    assert profile.lengths == (4, 8)
    kept = list((server.cache.parent / "profiles").glob(f"{identity}-*.json"))
    assert [read_profile(path) for path in kept] == [profile]

    refused = tune(bench_files.proven, "--device", server.address, "-o", out, **server.environment)
    assert refused.returncode == 2
    assert "exists" in refused.stderr


def test_this_machine_is_a_device_too_and_an_error_there_is_named(bench_files: BenchFiles, tmp_path: Path) -> None:
    done = tune(bench_files.proven, "--device", "local", "-o", tmp_path / "out.json", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert read_profile(tmp_path / "out.json").best == file_identity(str(bench_files.proven))
    missing = tune(bench_files.proven, "--device", "local", "--affinity", "1000", XDG_CACHE_HOME=str(tmp_path))
    assert missing.returncode == 2
    assert "linnet: error: local: --affinity names the CPUs [1000], which this process may not use" in missing.stderr


def test_a_phone_is_refused_before_anything_is_done(bench_files: BenchFiles) -> None:
    done = tune(bench_files.proven, "--device", "adb:R58M")
    assert done.returncode == 2
    assert "linnet tune needs Python there, adb:R58M has the C runner: use linnet bench" in done.stderr
