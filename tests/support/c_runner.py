"""The C runner, compiled against the installed package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import linnet_runtime

__all__ = ["NEEDS_COMPILER", "compile_runner"]

SOURCES = Path(__file__).resolve().parents[2] / "runtime_bindings" / "runner"
PACKAGE = Path(linnet_runtime.__file__).parent

NEEDS_COMPILER = pytest.mark.skipif(
    shutil.which("cc") is None or sys.platform != "linux", reason="no C compiler, or no Linux"
)


def compile_runner(program: Path, *flags: str) -> Path:
    """Compile the C runner against the installed package."""
    sources = sorted(map(str, SOURCES.glob("*.c")))
    warnings = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
    libraries = [f"-L{PACKAGE / 'lib'}", "-llinnet", f"-Wl,-rpath,{PACKAGE / 'lib'}", "-lm"]
    command = ["cc", *warnings, *flags, f"-I{PACKAGE / 'include'}", *sources, "-o", str(program), *libraries]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return program
