"""linnet's kernels of an app's bundle, in a process whose ExecuTorch is the stock one, and what they take from it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet_runtime import runtime_info
from tests.support.bundles import bundle, executorch_stand_in, run

ANSWERS = """
import ctypes, sys
import numpy as np
import torch
from executorch.runtime import Runtime
import linnet

file, *libraries = sys.argv[1:]
for library in libraries:
    opened = ctypes.CDLL(library)
model = linnet.load(file, threads=1, activation_bits=8, self_test=False)
for text in ("", "the bank is closed", "turn the volume up " * 9):
    tokens = model.tokenize(text)
    method = Runtime.get().load_program(file).load_method("forward_fused")
    ids = torch.tensor(tokens.ids.tolist(), dtype=torch.int64)[None]
    (vector,) = method.execute([ids, torch.zeros_like(ids)][: len(model.manifest.inputs)])
    (expected,) = model.run(tokens).values()
    assert np.array_equal(vector.numpy().reshape(-1), np.asarray(expected).reshape(-1)), text
opened.linnet_kernels_name.restype = ctypes.c_char_p
print(opened.linnet_kernels_name().decode())
"""


@pytest.fixture(scope="module")
def sources(exported: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the C and C++ of an Android bundle."""
    folder = tmp_path_factory.mktemp("android")
    _, report = exported("feature-extraction", recipe="int8")
    assert bundle(report.path, "android", folder) == 0
    return folder / "linnet" / "src" / "main" / "cpp"


@pytest.fixture(scope="module")
def library(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """liblinnet_kernels.so, built alone and with strict warnings."""
    if shutil.which("cmake") is None or shutil.which("c++") is None:
        pytest.skip("needs cmake and a C++ compiler")
    folder = tmp_path_factory.mktemp("kernels")
    project = "cmake_minimum_required(VERSION 3.22)\nproject(test LANGUAGES C CXX)\nset(CMAKE_CXX_STANDARD 17)\n"
    (folder / "CMakeLists.txt").write_text(f"{project}add_subdirectory({sources / 'kernel_library'} kernels)\n")
    strict = "-DCMAKE_CXX_FLAGS=-O1 -Wall -Wextra -Werror"
    run("cmake", "-S", ".", "-B", "build", strict, folder=folder)
    run("cmake", "--build", "build", "-j2", folder=folder)
    return folder / "build" / "kernels" / "liblinnet_kernels.so"


def test_stock_executorch_answers_with_the_kernels(library: Path, exported: Callable[..., Any], tmp_path: Path) -> None:
    """The Python package's libraries stand for Android's; the answers are linnet's to the last bit."""
    package = executorch_stand_in(tmp_path / "package")
    _, report = exported("feature-extraction", recipe="int8")
    (tmp_path / "answers.py").write_text(ANSWERS)
    said = run(sys.executable, tmp_path / "answers.py", report.path, package, library, folder=tmp_path)
    assert said.split()[-1] == runtime_info()["kernels"]


def test_the_stand_in_has_what_the_kernels_need_and_no_more(sources: Path, library: Path) -> None:
    """A symbol that the kernels start to use fails to link; one that they stop to use is found here."""
    needed = _symbols(library, "--undefined-only")
    listed = set(re.findall(r"SYMBOL\((_\w+)\)", (sources / "kernel_library" / "executorch_symbols.c").read_text()))
    other_processors = {name for name in listed if "va_list" in name} - needed
    assert listed - other_processors == {name for name in needed if "executorch" in name}
    assert len(other_processors) == 1


def _symbols(library: Path, *options: str) -> set[str]:
    listing = subprocess.run(
        ["nm", "-D", "--format=posix", *options, str(library)], check=True, capture_output=True, text=True
    )
    return {line.split()[0].split("@")[0] for line in listing.stdout.splitlines()}
