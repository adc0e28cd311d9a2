"""Answers of the kernels for all processors, the same to the last bit, and the choice of kernels."""

import json
import os
import subprocess
import sys

import pytest

_TEXTS = ["wake me at seven", "how do i say thank you in french, and what is it in german?", "x " * 200]


def _answers(kernels: str, *more: str) -> list[object] | None:
    """Return what the default model answers with these kernels; None if this processor lacks them."""
    program = (
        "import json, sys, linnet; from linnet.runtime import runtime_info;"
        "model = linnet.load(fused=True, self_test=False);"
        "print(json.dumps([runtime_info()['kernels'], model(json.loads(sys.argv[1]), top_k=None)]))"
    )
    environment = dict(os.environ, LINNET_MAX_CPU=kernels)
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(_TEXTS)],
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
def test_a_processors_kernels_answer_as_the_portable_ones(kernels: str) -> None:
    found = _answers(kernels)
    if found is None:
        pytest.skip("this processor lacks them")
    assert found == _answers("portable")
