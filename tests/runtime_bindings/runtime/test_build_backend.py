"""Machines for which linnet cannot be built are refused with one sentence, before anything is compiled."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.build_tools import build_tool

ROOT = Path(__file__).resolve().parents[3]
BACKEND = ROOT / "tools" / "build_backend.py"

_REFUSED = """
import platform, sys
platform.machine = lambda: {machine!r}
sys.path.insert(0, {folder!r})
import build_backend
build_backend.get_requires_for_build_wheel()
"""


@pytest.mark.parametrize("machine", ["armv7l", "armv6l", "i686", "riscv64", "ppc64le"])
def test_a_machine_without_libraries_is_refused_in_one_line(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINNET_EXECUTORCH_SDK", raising=False)
    program = _REFUSED.format(machine=machine, folder=str(BACKEND.parent))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"Linux {machine}" in line
    assert "expected 64-bit Linux (x86_64 or aarch64)" in line


@pytest.mark.parametrize(
    ("system", "machine", "bits", "refused"),
    [
        ("Linux", "x86_64", 64, False),
        ("Linux", "aarch64", 64, False),
        ("Darwin", "arm64", 64, False),
        ("Linux", "aarch64", 32, True),  # 32-bit Raspberry Pi OS on a 64-bit kernel
        ("Darwin", "x86_64", 64, True),
        ("Windows", "AMD64", 64, True),
    ],
)
def test_who_is_refused(system: str, machine: str, bits: int, refused: bool) -> None:
    assert (build_tool("build_backend").refusal(system, machine, bits) is not None) is refused


@pytest.mark.skipif(shutil.which("cmake") is None, reason="no CMake")
def test_cmake_refuses_too(tmp_path: Path) -> None:
    toolchain = tmp_path / "toolchain.cmake"
    toolchain.write_text("set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR armv7l)\n")
    done = subprocess.run(
        ["cmake", "-S", ROOT, "-B", tmp_path / "build", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", "-DLINNET_PYTHON=OFF",
         f"-DPython_EXECUTABLE={sys.executable}"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    message = " ".join(done.stderr.split())
    assert "linnet cannot be built for linux-armv7l" in message or "CMake 3.28" in message
