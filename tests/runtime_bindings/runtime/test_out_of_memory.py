"""Too little memory is an error with a name: never a signal, a hang or a wrong answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.native import PACKAGE, ROOT, include_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc and RLIMIT_AS")

LOAD_AND_RUN = """
import resource, sys
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    import linnet, linnet.model, numpy
    print("imported", file=sys.stderr, flush=True)
    with linnet.load(sys.argv[1], threads=int(sys.argv[3]), self_test=False) as model:
        model.run(model.tokenize("turn the volume down"))
    print("answered")
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""

NAMED = ("OutOfMemoryError: ", "MemoryError")
# before linnet's own code runs: numpy, the dynamic linker, OpenBLAS and Python itself
NOT_STARTED = ("ImportError: ", "BuildError: the compiled part of linnet cannot be imported", "OSError: ",
               "SystemError: ")  # fmt: skip


@pytest.fixture(scope="session")
def starved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C client that lets allocations fail."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    program = tmp_path_factory.mktemp("native") / "out_of_memory_test"
    source = ROOT / "tests" / "runtime_bindings" / "runtime" / "native" / "out_of_memory_test.c"
    command = ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-rdynamic", f"-I{include_folder()}"]
    command += [str(source), "-o", str(program), f"-L{PACKAGE / 'lib'}", "-llinnet", "-ldl", "-lpthread"]
    built = subprocess.run([*command, f"-Wl,-rpath,{PACKAGE / 'lib'}"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return program


def starve(program: Path, file: Path, *arguments: int) -> None:
    command = [str(program), str(file), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LINNET_OUT_OF_MEMORY" in done.stdout


@pytest.mark.parametrize(("threads", "step"), [(1, 1), (3, 5)])
def test_every_allocation_may_fail(starved: Path, toy: Path, threads: int, step: int) -> None:
    starve(starved, toy, threads, step, 100)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["text-classification", "question-answering", "fill-mask", "feature-extraction"])
def test_every_allocation_of_a_small_bert_may_fail(starved: Path, files: Path, task: str) -> None:
    starve(starved, files / f"{task}.pte", 2, 1, 1000)


@pytest.mark.slow
def test_allocations_of_the_real_minilm_may_fail(starved: Path, real_file: Path) -> None:
    starve(starved, real_file, 2, 17, 200)


def outcome(file: Path, megabytes: float, threads: int) -> str:
    """Load and run under a limit of address space; what was printed last."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LOAD_AND_RUN, str(file), str(int(megabytes * 1e6)), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    if done.returncode < 0 and "imported" not in done.stderr:
        return "not started"  # the interpreter itself: a stack that cannot grow is a signal
    assert done.returncode >= 0, f"signal {-done.returncode} at {megabytes} MB"
    said = (done.stdout or done.stderr).strip()
    first, last = said.splitlines()[0], said.splitlines()[-1]
    if done.returncode == 0:
        assert first == "answered" or first.startswith((*NAMED, *NOT_STARTED)), said
        return "answered" if first == "answered" else "named" if first.startswith(NAMED) else "not started"
    assert any(word in last for word in ("MemoryError", "memory", "Memory", "Error")), said  # the interpreter's own
    return "not started"


def sweep(file: Path, threads: int, step: float, most: float) -> list[str]:
    """Outcomes from where nothing starts up to where it works."""
    outcomes = []
    megabytes = 16.0
    while megabytes < most:
        outcomes.append(outcome(file, megabytes, threads))
        if outcomes[-1] == "answered" and "answered" in outcomes[-4:-1]:
            return outcomes
        # coarse while numpy cannot be imported
        megabytes += step if megabytes > 100 else 14
    raise AssertionError(f"it did not work with {most} MB: {outcomes}")


def test_a_limit_of_address_space_is_an_error(toy: Path) -> None:
    outcomes = sweep(toy, threads=1, step=6, most=400)
    assert outcomes[0] != "answered"
    assert outcomes[-1] == "answered"


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 4])
def test_a_limit_of_address_space_is_an_error_for_the_real_minilm(real_file: Path, threads: int) -> None:
    outcomes = sweep(real_file, threads, step=0.5, most=600)
    assert {"not started", "named", "answered"} == set(outcomes)
