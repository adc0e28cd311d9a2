"""Speed of the runtime's WordPiece and of the ``tokenizers`` package, with the same vocabulary and ids.

pytest benchmarks/studies/bench_tokenizer.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import tokenizers
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.peers.models import MINILM, linnet_file, minilm_folder
from linnet.runtime import Tokenizer, open_runtime
from linnet_bench.measure.sample import SHORT_TEXT, long_text

Encode = Callable[[str, int], list[int]]

_SCRIPTS = "Ωραία μέρα — 今天天气很好。 Это тест, año nuevo, naïve façade, 🙂 and Straße. "
TEXTS = {"short": SHORT_TEXT, "page": long_text(400), "scripts": _SCRIPTS * 8, "1 MB": long_text(190_000)}
MAX_LENGTH = 512

_SENTENCE = "The quick brown fox jumps over the lazy dog, unaffable as ever. "
TEN_MEGABYTES = _SENTENCE * (10_000_000 // len(_SENTENCE))


@pytest.fixture(scope="module")
def core() -> Iterator[Tokenizer]:
    """Return the tokenizer inside linnet's file."""
    runtime = open_runtime(str(linnet_file(MINILM)), 1)
    yield runtime.tokenizer
    runtime.close()


@pytest.fixture
def encode(request: pytest.FixtureRequest, core: Tokenizer) -> Encode:
    """Return one of the two tokenizers, truncating at ``max_length`` tokens."""
    if request.param == "linnet":
        return lambda text, bound: core.encode(text, max_length=bound)[0].ids.tolist()
    package = tokenizers.Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    package.no_padding()

    def with_package(text: str, bound: int) -> list[int]:
        package.enable_truncation(bound)
        ids: list[int] = package.encode(text).ids
        return ids

    return with_package


@pytest.mark.parametrize("encode", ["linnet", "tokenizers"], indirect=True)
@pytest.mark.parametrize("name", TEXTS)
def bench_encode(benchmark: BenchmarkFixture, encode: Encode, core: Tokenizer, name: str) -> None:
    benchmark.group = f"encode, {name} ({len(TEXTS[name])} characters), at most {MAX_LENGTH} tokens"
    ids = benchmark(encode, TEXTS[name], MAX_LENGTH)
    assert ids == core.encode(TEXTS[name], max_length=MAX_LENGTH)[0].ids.tolist()


@pytest.mark.parametrize("characters", [None, 6], ids=["10 MB", "its head"])
@pytest.mark.parametrize("max_length", [128, 512])
def bench_early_truncation(
    benchmark: BenchmarkFixture, core: Tokenizer, max_length: int, characters: int | None
) -> None:
    """Time a ten-megabyte text, of which only the first tokens are read, as tokenizer_test.cpp asserts."""
    text = TEN_MEGABYTES if characters is None else TEN_MEGABYTES[: characters * max_length]
    benchmark.group = f"encode at most {max_length} tokens"
    (encoding,) = benchmark(core.encode, text, max_length=max_length)
    assert len(encoding) == max_length
