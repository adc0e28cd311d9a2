"""Answers of the kernels for all processors, the same to the last bit, and the choice of kernels and rounding."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from linnet.assets import default_model
from linnet.errors import InvalidArgumentError
from linnet.format.trailer import build_trailer, read_trailer
from linnet.runtime import open_runtime, runtime_info

_TEXTS = ["wake me at seven", "how do i say thank you in french, and what is it in german?", "x " * 200]


def _answers(kernels: str, bits: int) -> list[object] | None:
    """Return what the default model answers with these kernels; None if this processor lacks them."""
    program = (
        "import json, sys, linnet; from linnet.runtime import runtime_info;"
        "model = linnet.load(fused=True, activation_bits=int(sys.argv[2]), self_test=False);"
        "print(json.dumps([runtime_info()['kernels'], model(json.loads(sys.argv[1]), top_k=None)]))"
    )
    environment = dict(os.environ, LINNET_MAX_CPU=kernels)
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(_TEXTS), str(bits)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        assert f'LINNET_MAX_CPU is "{kernels}", expected kernels that this processor has: portable' in done.stderr
        return None
    found: list[object] = json.loads(done.stdout)
    assert found[0] == kernels
    return found[1:]


@pytest.mark.parametrize("kernels", ["avx2", "avx_vnni", "avx512_vnni", "neon", "dotprod", "i8mm"])
@pytest.mark.parametrize("bits", [8, 7])
def test_a_processors_kernels_answer_as_the_portable_ones(kernels: str, bits: int) -> None:
    found = _answers(kernels, bits)
    if found is None:
        pytest.skip("this processor lacks them")
    assert found == _answers("portable", bits)


@pytest.mark.parametrize(("proven", "expected"), [(8, 8), (7, 7 if runtime_info()["kernels"] == "avx2" else 8)])
def test_seven_bits_are_taken_where_they_are_faster_and_proven(tmp_path: Path, proven: int, expected: int) -> None:
    data = default_model().read_bytes()
    trailer = read_trailer(default_model())
    program, evidence = data[: trailer.program_size], {**trailer.evidence, "activation_bits": proven}
    path = tmp_path / "model.pte"
    path.write_bytes(program + build_trailer(program, trailer.ranges, evidence))
    runtime = open_runtime(str(path), 0)
    assert runtime.activation_bits() == expected
    for bits in (7, 8):
        runtime.set_activation_bits(bits)
        assert runtime.activation_bits() == bits
    with pytest.raises(InvalidArgumentError, match="activation bits are 6, expected 0"):
        runtime.set_activation_bits(6)
    runtime.set_activation_bits(0)
    assert runtime.activation_bits() == expected
