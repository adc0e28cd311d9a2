"""Hostile calls of text generation: eight threads with forks of one text, cancelled at random moments."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.decoder_file import decoder_file
from tests.support.native import PACKAGE, ROOT, include_folder

SOURCE = ROOT / "tests" / "runtime_bindings" / "runtime" / "native" / "generation_attack_test.cpp"


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    program = tmp_path_factory.mktemp("attack") / "attack"
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{include_folder()}"]
    libraries = [f"-L{PACKAGE / 'lib'}", "-llinnet", f"-Wl,-rpath,{PACKAGE / 'lib'}", "-lpthread"]
    subprocess.run([compiler, *flags, str(SOURCE), "-o", str(program), *libraries], check=True)
    return program


@pytest.mark.parametrize("calls", [1000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_hostile_calls_leave_every_text_whole(attack: Path, calls: int) -> None:
    done = subprocess.run(
        [str(attack), str(decoder_file()), str(calls)], capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("0 failed")
