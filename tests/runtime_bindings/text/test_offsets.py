"""UTF-8 and UTF-16 offsets against Python's own conversion of the offsets in code points."""

from __future__ import annotations

import itertools
import random

from linnet_runtime import Encoding
from tests.runtime_bindings.text.oracle import real_twins
from tests.runtime_bindings.text.random_text import random_text


def _utf8(text: str) -> list[int]:
    """Bytes of the UTF-8 form before each code point, and in all."""
    return [0, *itertools.accumulate(len(c.encode("utf-8")) for c in text)]


def _utf16(text: str) -> list[int]:
    return [0, *itertools.accumulate(len(c.encode("utf-16-le")) // 2 for c in text)]


def _check(window: Encoding, *texts: str) -> None:
    utf8, utf16 = [_utf8(text) for text in texts], [_utf16(text) for text in texts]
    for row, sequence in enumerate(window.sequence_ids.tolist()):
        points = window.offsets[row].tolist()
        if sequence < 0:
            assert points == window.offsets_utf8[row].tolist() == window.offsets_utf16[row].tolist() == [0, 0]
            continue
        assert window.offsets_utf8[row].tolist() == [utf8[sequence][point] for point in points]
        assert window.offsets_utf16[row].tolist() == [utf16[sequence][point] for point in points]


def test_units_of_generated_texts() -> None:
    rng = random.Random(3)
    device = real_twins().device
    for _ in range(1_500):
        first, second = random_text(rng), random_text(rng)
        _check(device.encode(first)[0], first)
        _check(device.encode(first, second)[0], first, second)


def test_units_differ() -> None:
    # U+1F600: four bytes in UTF-8, two units in UTF-16, one code point.
    window = real_twins().device.encode("😀 é", add_special_tokens=False)[0]
    assert window.offsets.tolist() == [[0, 1], [2, 3]]
    assert window.offsets_utf8.tolist() == [[0, 4], [5, 7]]
    assert window.offsets_utf16.tolist() == [[0, 2], [3, 4]]


def test_an_ascii_text_beside_another() -> None:
    window = real_twins().device.encode("plain", "é plain", add_special_tokens=False)[0]
    assert window.offsets.tolist() == [[0, 5], [0, 1], [2, 7]]
    assert window.offsets_utf8.tolist() == [[0, 5], [0, 2], [3, 8]]
    assert window.offsets_utf16.tolist() == [[0, 5], [0, 1], [2, 7]]
