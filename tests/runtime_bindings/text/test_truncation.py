"""Truncation and windows against `tokenizers` (enable_truncation, overflowing)."""

from __future__ import annotations

import random

import pytest
import tokenizers

from linnet.errors import InvalidArgumentError, InvalidTextError, TextTooLongError
from linnet_runtime import Tokenizer
from tests.runtime_bindings.text.oracle import Twins, device_rows, real_reference, reference_rows, twins_of
from tests.runtime_bindings.text.random_text import random_text

# One word of three tokens among words of one: cuts fall inside words.
TOKENS = ("hello", "unaffable", ",", "the")


@pytest.fixture(scope="module")
def twins() -> Twins:
    return twins_of(real_reference())


@pytest.fixture
def reference(twins: Twins) -> tokenizers.Tokenizer:
    twins.reference.no_truncation()
    return twins.reference


@pytest.fixture(scope="module")
def device(twins: Twins) -> Tokenizer:
    return twins.device


def _words(rng: random.Random, most: int) -> str:
    return " ".join(rng.choices(TOKENS, k=rng.randint(0, most)))


def test_longest_first_pairs(reference: tokenizers.Tokenizer, device: Tokenizer) -> None:
    """All small lengths of both texts against all rooms: every case of the rule and of its ties."""
    for first in range(0, 12):
        for second in range(0, 12):
            texts = " ".join(["hello"] * first), " ".join(["the"] * second)
            for max_length in range(3, 24):
                reference.enable_truncation(max_length, strategy="longest_first")
                windows = device.encode(*texts, max_length=max_length, truncation="longest_first")
                assert [device_rows(window) for window in windows] == [reference_rows(reference.encode(*texts))]
                assert windows[0].truncated == (first + second + 3 > max_length)


@pytest.mark.parametrize("max_length", [33, 34, 64, 65, 128])
def test_longest_first_tie_of_long_texts(reference: tokenizers.Tokenizer, device: Tokenizer, max_length: int) -> None:
    """Which of two long texts gets the odd token depends on their full lengths."""
    reference.enable_truncation(max_length, strategy="longest_first")
    for first, second in ((140, 141), (141, 140), (140, 140), (140, 300), (300, 140)):
        for words in (("hello", "the"), ("hello", "unaffable"), ("unaffable", "the"), ("[MASK]", "hello")):
            texts = " ".join([words[0]] * first), " ".join([words[1]] * second)
            windows = device.encode(*texts, max_length=max_length, truncation="longest_first")
            assert [device_rows(window) for window in windows] == [reference_rows(reference.encode(*texts))]


@pytest.mark.parametrize("special", [True, False])
def test_single_texts(reference: tokenizers.Tokenizer, device: Tokenizer, special: bool) -> None:
    rng = random.Random(11)
    for _ in range(300):
        text, max_length = random_text(rng), rng.randint(2, 40)
        whole = len(device.encode(text, add_special_tokens=special)[0])
        reference.enable_truncation(max_length)
        windows = device.encode(text, max_length=max_length, add_special_tokens=special)
        expected = reference.encode(text, add_special_tokens=special)
        assert [device_rows(window) for window in windows] == [reference_rows(expected)]
        assert windows[0].truncated == (whole > max_length)


def test_only_second(reference: tokenizers.Tokenizer, device: Tokenizer) -> None:
    rng = random.Random(12)
    refused = 0
    for _ in range(2_000):
        first, second, max_length = _words(rng, 12), _words(rng, 20), rng.randint(4, 30)
        reference.enable_truncation(max_length, strategy="only_second")
        try:
            expected = reference.encode(first, second)
        except Exception:  # noqa: BLE001 - what `tokenizers` raises has no class of its own
            refused += 1
            with pytest.raises(TextTooLongError):
                device.encode(first, second, max_length=max_length, truncation="only_second")
            continue
        window = device.encode(first, second, max_length=max_length, truncation="only_second")[0]
        assert device_rows(window) == reference_rows(expected)
        assert window.truncated == bool(expected.overflowing)
    assert 0 < refused < 2_000


def test_windows(reference: tokenizers.Tokenizer, device: Tokenizer) -> None:
    """Question-answering windows are the overflowing encodings, in their order."""
    rng = random.Random(13)
    many = 0
    for _ in range(1_000):
        question, context = _words(rng, 5), random_text(rng, 40)
        max_length, stride = rng.randint(24, 48), rng.randint(0, 5)
        reference.enable_truncation(max_length, stride=stride, strategy="only_second")
        expected = reference.encode(question, context)
        windows = device.encode(question, context, max_length=max_length, truncation="only_second", stride=stride)
        assert [device_rows(window) for window in windows] == [
            reference_rows(encoding) for encoding in (expected, *expected.overflowing)
        ]
        assert not any(window.truncated for window in windows)
        many += len(windows) > 2
    assert many > 200


def test_windows_of_a_long_text(reference: tokenizers.Tokenizer, device: Tokenizer) -> None:
    context = "The quick brown fox, unaffable as ever, jumps over the lazy dog. " * 400
    reference.enable_truncation(384, stride=128, strategy="only_second")
    expected = reference.encode("What does the fox do?", context)
    windows = device.encode("What does the fox do?", context, max_length=384, truncation="only_second", stride=128)
    assert len(windows) > 20
    assert [device_rows(window) for window in windows] == [
        reference_rows(encoding) for encoding in (expected, *expected.overflowing)
    ]


def test_never(device: Tokenizer) -> None:
    assert len(device.encode("hello " * 6, max_length=8, truncation="never")[0]) == 8
    with pytest.raises(TextTooLongError, match="max_length 7"):
        device.encode("hello " * 6, max_length=7, truncation="never")
    with pytest.raises(TextTooLongError):
        device.encode("hello " * 3, "hello " * 3, max_length=8, truncation="never")


def test_only_second_needs_a_second_text(device: Tokenizer) -> None:
    assert len(device.encode("hello", max_length=3, truncation="only_second")) == 1
    with pytest.raises(TextTooLongError, match="second"):
        device.encode("hello hello", max_length=3, truncation="only_second")


def test_room_for_special_tokens_only(reference: tokenizers.Tokenizer, device: Tokenizer) -> None:
    for texts in (("hello",), ("hello", "the")):
        for strategy in ("longest_first", "only_second"):
            max_length = len(texts) + 1
            reference.enable_truncation(max_length, strategy=strategy)
            window = device.encode(*texts, max_length=max_length, truncation=strategy)[0]
            assert device_rows(window) == reference_rows(reference.encode(*texts))
            assert window.truncated


def test_impossible_arguments(device: Tokenizer) -> None:
    with pytest.raises(InvalidArgumentError, match="special tokens alone are 2"):
        device.encode("hello", max_length=1)
    with pytest.raises(InvalidArgumentError, match="stride"):
        device.encode("hello", "the " * 20, max_length=9, truncation="only_second", stride=5)
    with pytest.raises(InvalidArgumentError, match="max_length"):
        device.encode("hello", max_length=-1)
    with pytest.raises(InvalidArgumentError, match="stride"):
        device.encode("hello", stride=-2)
    with pytest.raises(InvalidArgumentError):
        device.encode("hello", truncation="shortest_first")
    with pytest.raises(InvalidTextError):
        device.encode("a lone surrogate: \ud800")
