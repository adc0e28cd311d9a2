"""Ratios, printed and never asserted: early truncation, and linnet against `tokenizers` on one thread.

That a long text is not read to its end is asserted in native/tokenizer_test.cpp, by a wrong byte behind
the part that must be read.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.runtime_bindings.text.oracle import real_twins

pytestmark = pytest.mark.benchmark_ratio

SENTENCE = "The quick brown fox jumps over the lazy dog, unaffable as ever. "


def _seconds(work: Callable[[], object], rounds: int = 7) -> float:
    def once() -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    return min(once() for _ in range(rounds))


@pytest.mark.parametrize("max_length", [128, 512])
def test_ten_megabytes_cost_what_their_first_tokens_cost(max_length: int) -> None:
    device = real_twins().device
    long_text = SENTENCE * (10_000_000 // len(SENTENCE))
    short_text = long_text[: 6 * max_length]
    short = _seconds(lambda: device.encode(short_text, max_length=max_length))
    long = _seconds(lambda: device.encode(long_text, max_length=max_length))
    print(f"\nmax_length {max_length}: 10 MB {long * 1e6:.0f} us, its head {short * 1e6:.0f} us, {long / short:.2f}x")


@pytest.mark.parametrize("text", [SENTENCE * 2, "Ünïcödé tëxt 你好 世界, " + SENTENCE], ids=["ascii", "mixed"])
def test_against_tokenizers(text: str) -> None:
    twins = real_twins()
    device = _seconds(lambda: [twins.device.encode(text) for _ in range(500)])
    reference = _seconds(lambda: [twins.reference.encode(text) for _ in range(500)])
    print(f"\n{len(text)} characters: linnet {device * 2e3:.1f} us, tokenizers {reference * 2e3:.1f} us, "
          f"{reference / device:.1f}x")  # fmt: skip
