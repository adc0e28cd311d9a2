"""What only a process of its own can show: thread counts, forks, other ExecuTorches, a machine without PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SETUP = """
import sys
import numpy as np
FILE, EXPECTED = sys.argv[1], np.load(sys.argv[2])

def linnet_answers(threads=1):
    from linnet_runtime import Model
    model = Model(FILE, threads=threads)
    (logits,) = model.run("forward", [EXPECTED["ids_7"], EXPECTED["types_7"]])
    assert np.abs(logits - EXPECTED["logits_7"]).max() < 1e-5, logits
    return model
"""

WITHOUT_TORCH = """
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "executorch", "torchao", "tokenizers", "linnet_export"):
            raise ImportError(name + " is not on this machine")

sys.meta_path.insert(0, Refuse())
"""


def run_script(script: str, toys: Path, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SETUP + script, str(toys / "toy.pte"), str(toys / "expected.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_a_machine_without_pytorch_loads_and_runs(toys: Path) -> None:
    script = """
model = linnet_answers()
assert model.tokenizer.encode("turn up")[0].ids.tolist() == [2, 5, 6, 3]
from linnet_runtime import verify_file
verify_file(FILE)
print(sorted(name for name in sys.modules if name.split(".")[0] in ("torch", "transformers", "executorch")))
"""
    assert run_script(WITHOUT_TORCH + script, toys).stdout.strip() == "[]"


def test_nothing_is_written_to_stderr_and_nothing_leaks(toys: Path) -> None:
    script = """
from linnet.errors import LinnetError
model = linnet_answers()
tokenizer, encoding = model.tokenizer, model.tokenizer.encode("turn up")[0]
for bad in ("/nowhere.pte", __file__ if "__file__" in globals() else sys.executable):
    try:
        type(model)(bad)
    except LinnetError:
        pass
kept = encoding.ids
"""
    assert run_script(script, toys).stderr == ""


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_first_model_fixes_the_thread_count(toys: Path, threads: int) -> None:
    script = f"""
from linnet.errors import ThreadsFixedError
from linnet_runtime import runtime_info
assert runtime_info()["threads"] == "0"
first = linnet_answers({threads})
assert runtime_info()["threads"] == "{threads}"
linnet_answers({threads})
linnet_answers(0)
try:
    linnet_answers({threads + 1})
except ThreadsFixedError as error:
    assert "{threads}" in str(error) and "{threads + 1}" in str(error)
    assert error.status == 106
else:
    raise SystemExit("a second count was taken")
linnet_answers({threads})
"""
    run_script(script, toys)


def test_a_refused_file_does_not_fix_the_count(toys: Path) -> None:
    script = """
from linnet.errors import FileMissingError
from linnet_runtime import Model, runtime_info
try:
    Model("/nowhere.pte", threads=2)
except FileMissingError:
    pass
assert runtime_info()["threads"] == "0"
linnet_answers(1)
"""
    run_script(script, toys)


@pytest.mark.parametrize("threads", [-1, 257, 2**31 - 1, -(2**31)])
def test_an_impossible_thread_count_is_refused(toys: Path, threads: int) -> None:
    script = f"""
from linnet.errors import InvalidArgumentError
from linnet_runtime import runtime_info
try:
    linnet_answers({threads})
except InvalidArgumentError as error:
    assert "expected 0" in str(error)
else:
    raise SystemExit("taken")
assert runtime_info()["threads"] == "0"
"""
    run_script(script, toys)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the affinity mask")
def test_no_count_means_the_usable_cpus_at_most_four(toys: Path) -> None:
    script = """
import os
from linnet_runtime import runtime_info
linnet_answers(0)
assert runtime_info()["threads"] == str(min(4, len(os.sched_getaffinity(0)))), runtime_info()
"""
    run_script(script, toys)
    run_script("import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})" + script, toys)


def test_a_forked_child_gets_an_error_and_not_a_hang(toys: Path) -> None:
    script = """
import os
from linnet.errors import ThreadsFixedError
model = linnet_answers(2)
child = os.fork()
if child == 0:
    try:
        model.run("forward", [EXPECTED["ids_7"], EXPECTED["types_7"]])
    except ThreadsFixedError as error:
        os._exit(0 if "forked" in str(error) else 2)
    os._exit(3)
assert os.waitpid(child, 0)[1] == 0
linnet_answers(2)
"""
    run_script(script, toys)


def test_a_forked_child_runs_with_one_thread(toys: Path) -> None:
    script = """
import os
model = linnet_answers(1)
child = os.fork()
if child == 0:
    model.run("forward", [EXPECTED["ids_7"], EXPECTED["types_7"]])
    linnet_answers(1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    run_script(script, toys)


EXECUTORCH = """
def executorch_answers():
    import torch
    from executorch.runtime import Runtime
    method = Runtime.get().load_program(FILE).load_method("forward")
    inputs = [torch.from_numpy(EXPECTED[name].copy()) for name in ("ids_7", "types_7")]
    assert np.abs(method.execute(inputs)[0].numpy() - EXPECTED["logits_7"]).max() < 1e-5

def quantized_kernels():
    import executorch.kernels.quantized

def pytorch():
    import torch
    torch.ones(3).sum()
"""


LINNET_FIRST = "linnet_answers executorch_answers quantized_kernels"
LINNET_LAST = "executorch_answers quantized_kernels linnet_answers"


@pytest.mark.parametrize(
    ("flags", "order"),
    [
        ("RTLD_LOCAL", LINNET_FIRST),
        ("RTLD_GLOBAL", LINNET_LAST),
        pytest.param("RTLD_LOCAL", LINNET_LAST, marks=pytest.mark.slow),
        pytest.param("RTLD_GLOBAL", LINNET_FIRST, marks=pytest.mark.slow),
        pytest.param("RTLD_LOCAL", "quantized_kernels linnet_answers executorch_answers", marks=pytest.mark.slow),
        pytest.param("RTLD_LOCAL", "pytorch linnet_answers quantized_kernels", marks=pytest.mark.slow),
    ],
)
def test_executorch_in_the_same_process_in_any_order(toys: Path, flags: str, order: str) -> None:
    pytest.importorskip("executorch")
    script = (
        EXECUTORCH
        + f"""
import os
sys.setdlopenflags(os.RTLD_NOW | os.{flags})
steps = [{order.replace(" ", ", ")}]
for step in (*steps, *steps):
    step()
assert sys.getdlopenflags() == os.RTLD_NOW | os.{flags}
"""
    )
    run_script(script, toys)
