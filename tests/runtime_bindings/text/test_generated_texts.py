"""Generated texts over all planes, with random settings and added tokens, against `tokenizers`."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken

from linnet_export.tokenizer import UnsupportedTokenizerError
from linnet_runtime import Tokenizer
from tests.runtime_bindings.text.oracle import CASED, UNCASED, Twins, device_rows, real_reference, real_twins, twins_of
from tests.runtime_bindings.text.random_text import random_added_tokens, random_normalization, random_text

TEXTS_PER_TOKENIZER = 500


def _random_twins(rng: random.Random) -> Twins:
    """A tokenizer with random settings; those that the writer refuses are drawn again."""
    while True:
        try:
            return twins_of(real_reference(random_normalization(rng), random_added_tokens(rng)))
        except UnsupportedTokenizerError:
            continue


def _disagreements(seed: int, texts: int) -> list[str]:
    rng = random.Random(seed)
    found: list[str] = []
    for _ in range(texts // TEXTS_PER_TOKENIZER):
        twins = _random_twins(rng)
        for _ in range(TEXTS_PER_TOKENIZER):
            text = random_text(rng)
            pair = random_text(rng) if rng.random() < 0.3 else None
            if not twins.agree(text, pair, add_special_tokens=rng.random() < 0.9):
                found.append(f"{text!a} {pair!a} {twins.reference.normalizer}")
    return found


@pytest.mark.parametrize("seed", range(4))
def test_generated_texts(seed: int) -> None:
    assert _disagreements(seed, 5_000) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_generated_texts(seed: int) -> None:
    assert _disagreements(seed, 22_000) == []


@settings(max_examples=300, deadline=None)
@given(text=st.text(), pair=st.none() | st.text())
def test_any_text(text: str, pair: str | None) -> None:
    assert real_twins(UNCASED).agree(text, pair)
    assert real_twins(CASED).agree(text, pair)


@pytest.mark.parametrize("normalized", [False, True], ids=["raw", "normalized"])
def test_added_tokens_far_into_a_text(normalized: bool) -> None:
    """The core looks for added tokens block by block (1 KB): none may be lost or cut at a block's end."""
    stripped = AddedToken("</s>", lstrip=True, rstrip=True, normalized=normalized)
    alone = AddedToken("tail end", single_word=True, normalized=normalized)
    twins = twins_of(real_reference(UNCASED, [stripped, alone]))
    filler = "Some wörds to fill it. " * 60
    blanks = ("", " ", "\u3000 ", " " * 30)
    for length in range(960, 1030):
        for before, after in itertools.product(blanks, repeat=2):
            text = f"{filler[:length]}{before}</s>{after}</s>tail end{after}x tail endx{before}tail end"
            assert twins.agree(text), ascii(text)


def test_one_tokenizer_in_many_threads() -> None:
    device: Tokenizer = real_twins().device
    rng = random.Random(7)
    texts = [random_text(rng) for _ in range(400)]
    alone = [device_rows(device.encode(text)[0]) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: device_rows(device.encode(text)[0]), texts * 4))
    assert together == alone * 4
