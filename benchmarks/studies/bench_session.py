"""Time to open a file and to run ``forward`` on one thread.

pytest benchmarks/studies/bench_session.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.peers.models import LENGTHS, MINILM, linnet_file
from linnet.format.manifest import Manifest
from linnet.model import Model
from linnet.runtime import Runtime, open_runtime, verify_file
from linnet_bench.measure.probe import forward_inputs


@pytest.fixture(scope="module")
def path() -> Path:
    """Return the file of MiniLM-L6, int8."""
    return linnet_file(MINILM)


@pytest.fixture(scope="module")
def runtime(path: Path) -> Iterator[Runtime]:
    """Return the runtime of the opened file."""
    opened = open_runtime(str(path), 1)
    yield opened
    opened.close()


def bench_open(benchmark: BenchmarkFixture, path: Path) -> None:
    benchmark.group = "open"

    def open_and_close() -> None:
        open_runtime(str(path), 1).close()

    benchmark(open_and_close)


def bench_open_and_first_run(benchmark: BenchmarkFixture, path: Path) -> None:
    benchmark.group = "open"
    ids = np.array([[101, 7592, 102]], dtype=np.int64)

    def answer_once() -> float:
        opened = open_runtime(str(path), 1)
        (embedding,) = opened.run("forward", [ids])
        opened.close()
        return float(np.linalg.norm(embedding))

    assert benchmark(answer_once) == pytest.approx(1, abs=1e-5)


def bench_read_manifest(benchmark: BenchmarkFixture, runtime: Runtime) -> None:
    benchmark.group = "manifest"
    assert benchmark(lambda: Manifest.from_raw(runtime.manifest)).task == "feature-extraction"


def bench_verify(benchmark: BenchmarkFixture, path: Path) -> None:
    benchmark.group = "verify"
    benchmark(verify_file, str(path))


@pytest.mark.parametrize("tokens", LENGTHS)
def bench_forward(benchmark: BenchmarkFixture, runtime: Runtime, tokens: int) -> None:
    benchmark.group = "forward"
    inputs = forward_inputs(Model(runtime), runtime, tokens)
    (embedding,) = benchmark(runtime.run, "forward", inputs)
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
