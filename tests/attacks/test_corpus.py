"""The corpus of the fuzzers, and each of its inputs with bytes changed, against the installed library."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.native import PACKAGE, ROOT, include_folder

FUZZ = ROOT / "tests" / "fuzz"
TARGETS = ("trailer", "tokenizer", "manifest", "text", "constraint", "mask")
"""The fuzzers that need linnet.h only; the one of signatures is built with the parts of the runtime (make fuzz)."""


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
@pytest.mark.parametrize("target", TARGETS)
def test_no_input_of_the_corpus_ends_the_process(target: str, tmp_path: Path) -> None:
    client = tmp_path / "client"
    sources = [Path(__file__).with_name("corpus_main.cpp"), FUZZ / f"fuzz_{target}.cpp"]
    libraries = [f"-L{PACKAGE / 'lib'}", "-llinnet", f"-Wl,-rpath,{PACKAGE / 'lib'}"]
    command = ["c++", "-std=c++17", f"-I{include_folder()}", *map(str, sources), "-o", str(client), *libraries]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[:4000]
    files = sorted(map(str, (FUZZ / "corpus" / target).iterdir()))
    done = subprocess.run([str(client), *files], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    last = done.stdout.splitlines()[-1:]
    assert done.returncode == 0, f"{last}\n{done.stderr}"
    assert last == [f"{201 * len(files)} runs"]
