"""Jobs of this machine as a device: the entry point is found by its name, and what it emits comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from linnet_bench.record.record import from_json
from linnet_bench.remote.agent import StoredFile, run_job
from linnet_bench.tune.profile import read_profile
from tests.support.files import BenchFiles


def device(command: str, *arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "linnet", command, *map(str, arguments), "--device", "local"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(home)}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_a_benchmark_here_keeps_the_name_of_its_file(bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    quick = ("--threads", "1", "--lengths", "4", "--samples", "3", "--cold", "0", "--output", out)
    done = device("bench", bench_files.proven, *quick, home=tmp_path)
    assert done.returncode == 0, done.stderr
    record = from_json(out.read_text(encoding="utf-8"))
    assert (record.file.name, record.device, record.partial) == ("proven.pte", "local", False)


def test_a_tuning_here(bench_files: BenchFiles, tmp_path: Path) -> None:
    out = tmp_path / "profile.json"
    quick = ("--threads", "1", "--lengths", "4", "--seconds", "0.02", "--rounds", "1", "-o", out)
    done = device("tune", bench_files.proven, *quick, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert read_profile(out).lengths == (4,)


def test_the_entry_point_is_called_by_its_name() -> None:
    events: list[dict[str, object]] = []
    job = {"entry_point": f"{__name__}:echo", "payload": {"x": 1}, "names": ["a.pte"]}
    run_job([Path("stored")], job, lambda **event: events.append(event))
    assert events == [{"event": "progress", "files": [StoredFile(Path("stored"), "a.pte")], "payload": {"x": 1}}]


def echo(files: list[StoredFile], payload: object, emit: object) -> None:
    assert callable(emit)
    emit(event="progress", files=files, payload=payload)
