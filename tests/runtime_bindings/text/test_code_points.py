"""Every code point, alone and between letters: the same tokens and offsets as `tokenizers`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.runtime_bindings.text.oracle import CASED, UNCASED, Normalization, real_twins

CODE_POINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]

COMBINATIONS = [Normalization(*flags) for flags in itertools.product((False, True), repeat=4)]


def _batches(size: int = 512) -> Iterator[str]:
    """All code points as a<c>b, some hundred to a text."""
    for start in range(0, len(CODE_POINTS), size):
        yield " ".join(f"a{c}b" for c in CODE_POINTS[start : start + size])


@pytest.mark.parametrize("normalization", [UNCASED, CASED], ids=["uncased", "cased"])
def test_every_code_point_between_letters(normalization: Normalization) -> None:
    assert real_twins(normalization).disagreements(_batches()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "normalization", COMBINATIONS, ids=lambda flags: "".join(map(str, map(int, vars(flags).values())))
)
def test_every_code_point_under_every_combination(normalization: Normalization) -> None:
    assert real_twins(normalization).disagreements(_batches()) == []


@pytest.mark.slow
@pytest.mark.parametrize("normalization", [UNCASED, CASED], ids=["uncased", "cased"])
def test_every_code_point_in_a_text_of_its_own(normalization: Normalization) -> None:
    twins = real_twins(normalization)
    assert twins.disagreements(CODE_POINTS) == []
    assert twins.disagreements(f"a{c}b" for c in CODE_POINTS) == []
