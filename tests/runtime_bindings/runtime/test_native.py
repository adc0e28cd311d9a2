"""A plain-C program compiled against what the package ships: linnet.h and liblinnet."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.native import PACKAGE, ROOT, include_folder


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX threads")
def test_a_plain_c_client(toy: Path, tmp_path: Path) -> None:
    client = tmp_path / "c_api_test"
    flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1"]
    libraries = [f"-L{PACKAGE / 'lib'}", "-llinnet", f"-Wl,-rpath,{PACKAGE / 'lib'}", "-lm", "-lpthread"]
    source = ROOT / "tests" / "runtime_bindings" / "runtime" / "native" / "c_api_test.c"
    command = ["cc", *flags, f"-I{include_folder()}", str(source), "-o", str(client), *libraries]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([str(client), str(toy)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 failed\n"
    assert done.stderr == ""
