"""Overhead of the SDK on ``forward``, from texts to answers, and the cost of its import.

pytest benchmarks/studies/bench_sdk.py
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.peers.models import MINILM, linnet_file
from linnet.model import Model
from linnet.runtime import Runtime, open_runtime
from linnet_bench.measure.probe import forward_inputs
from linnet_bench.measure.sample import SHORT_TEXT, long_text


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    """Return the runtime of MiniLM-L6, int8."""
    opened = open_runtime(str(linnet_file(MINILM)), 1)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def model(runtime: Runtime) -> Model:
    """Return the model of that runtime, as an application uses it."""
    return Model(runtime)


def bench_forward_alone(benchmark: BenchmarkFixture, model: Model, runtime: Runtime) -> None:
    benchmark.group = "one short text"
    tokens = len(model.tokenize(SHORT_TEXT))
    benchmark(runtime.run, "forward", forward_inputs(model, runtime, tokens))


def bench_encode_one_text(benchmark: BenchmarkFixture, model: Model) -> None:
    benchmark.group = "one short text"
    assert benchmark(model.encode, SHORT_TEXT).shape == (384,)


def bench_tokenize(benchmark: BenchmarkFixture, model: Model) -> None:
    benchmark.group = "one short text"
    assert len(benchmark(model.tokenize, SHORT_TEXT)) == 11


def bench_encode_list(benchmark: BenchmarkFixture, model: Model) -> None:
    benchmark.group = "64 texts of 10 to 70 words"
    words = long_text(200).split()
    texts = [" ".join(words[start : start + 10 + (7 * start) % 60]) for start in range(64)]
    embeddings = benchmark(model.encode, texts)
    one_by_one = np.stack([model.encode(text) for text in texts])
    assert np.allclose(embeddings, one_by_one, atol=1e-5)


@pytest.mark.parametrize("module", ["sys", "numpy", "linnet", "linnet.model"])
def bench_import(benchmark: BenchmarkFixture, module: str) -> None:
    benchmark.group = "a fresh interpreter that imports"
    command = [sys.executable, "-c", f"import {module}"]
    benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=7, warmup_rounds=1)
