"""Byte-level BPE by the tables of the core: the same tokens, places, words and decoded text as `tokenizers`."""

from __future__ import annotations

import functools
import itertools
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from linnet_export.tokenizer.tables.expressions import EXPRESSIONS
from tests.runtime_bindings.text.tables_oracle import (
    TableTwins,
    byte_level_bpe,
    code_point_batches,
    random_added_tokens,
    random_text,
    real_lines,
    table_twins,
    texts_with_added_tokens,
)
from tests.support.tokenizers import modernbert_tokenizer, roberta_tokenizer

EXPRESSION_NUMBERS = sorted(EXPRESSIONS.values())


def _split(number: int) -> Any:
    (expression,) = (text for text, own in EXPRESSIONS.items() if own == number)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(expression), "isolated"), byte_level])


def _digits() -> Any:
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )


@functools.cache
def _twins(name: str) -> TableTwins:
    makers: dict[str, Any] = {
        "gpt2": byte_level_bpe,
        "prefix space": lambda: byte_level_bpe(pre_tokenizers.ByteLevel(add_prefix_space=True)),
        "no regex": lambda: byte_level_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)),
        "smollm2": lambda: byte_level_bpe(_digits()),
        "qwen2": lambda: byte_level_bpe(_split(2), normalizer=normalizers.NFC()),
        "nfkc": lambda: byte_level_bpe(normalizer=normalizers.NFKC()),
        "nfd": lambda: byte_level_bpe(normalizer=normalizers.NFD()),
        "nfkd": lambda: byte_level_bpe(normalizer=normalizers.NFKD()),
        "roberta": lambda: roberta_tokenizer().backend_tokenizer,
        "modernbert": lambda: modernbert_tokenizer().backend_tokenizer,
        "few bytes": _few_bytes,
        **{f"expression {number}": functools.partial(_expression, number) for number in EXPRESSION_NUMBERS},
    }
    return table_twins(makers[name]())


def _expression(number: int) -> Tokenizer:
    return byte_level_bpe(_split(number), vocab_size=258)


def _few_bytes() -> Tokenizer:
    """A vocabulary without most bytes, which are left out."""
    vocab = {token: position for position, token in enumerate(("a", "b", "e", "h", "l", "o", "Ġ", "Ã", "ll", "he"))}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[("l", "l"), ("h", "e")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


NAMES = (
    "gpt2", "prefix space", "no regex", "smollm2", "qwen2", "nfkc", "nfd", "nfkd", "roberta", "modernbert", "few bytes",
    *(f"expression {number}" for number in EXPRESSION_NUMBERS),
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_generated_texts(name: str) -> None:
    assert _twins(name).disagreements_on_generated(name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_generated_texts(name: str) -> None:
    rng = random.Random(f"{name} many")
    assert _twins(name).disagreements(random_text(rng, 30) for _ in range(200_000)) == []


@pytest.mark.parametrize("shape", ["a{}b", "'{}l", " {} "])
@pytest.mark.parametrize("number", EXPRESSION_NUMBERS)
def test_expressions_on_every_code_point(number: int, shape: str) -> None:
    """Each matcher cuts what the expression itself cuts: pieces of any text, without a vocabulary."""
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    (expression,) = (text for text, own in EXPRESSIONS.items() if own == number)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(expression), "isolated")
    assert table_twins(tokenizer).disagreements(code_point_batches(shape)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nfkc", "roberta"])
def test_every_code_point_between_letters(name: str) -> None:
    assert _twins(name).disagreements(code_point_batches()) == []


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["a{}b", " {}", "'{}", "{}"])
@pytest.mark.parametrize("name", NAMES)
def test_every_code_point(name: str, shape: str) -> None:
    assert _twins(name).disagreements(code_point_batches(shape)) == []


@pytest.mark.parametrize("name", ["gpt2", "smollm2", "roberta", "modernbert"])
def test_real_texts(name: str) -> None:
    assert _twins(name).disagreements(real_lines(60)) == []


@settings(max_examples=300, deadline=None)
@given(text=st.text(), pair=st.none() | st.text())
def test_any_text(text: str, pair: str | None) -> None:
    for name in ("roberta", "modernbert", "qwen2"):
        assert _twins(name).agree(text, pair)


@pytest.mark.parametrize("seed", range(12))
def test_added_tokens(seed: int) -> None:
    """Added tokens with every mixture of flags, within texts that are normalized."""
    rng = random.Random(seed)
    added = random_added_tokens(rng)
    normalizer = rng.choice([None, normalizers.NFC(), normalizers.NFKC()])
    tokenizer = byte_level_bpe(normalizer=normalizer, added=added)
    if rng.random() < 0.5:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=rng.random() < 0.5)
    assert table_twins(tokenizer).disagreements(texts_with_added_tokens(rng)) == []


@pytest.mark.parametrize("normalizer", [None, normalizers.NFC(), normalizers.Lowercase()], ids=str)
@pytest.mark.parametrize("normalized", [False, True])
def test_added_tokens_far_into_a_text(normalized: bool, normalizer: Any) -> None:
    """The core looks for added tokens block by block (1 KB): none may be lost or cut at a block's end."""
    stripped = AddedToken("</X>", lstrip=True, rstrip=True, normalized=normalized)
    alone = AddedToken("Tail end", single_word=True, normalized=normalized)
    twins = table_twins(byte_level_bpe(normalizer=normalizer, added=[stripped, alone]))
    filler = "Some wörds e\u0301 to fill it. " * 60
    blanks = ("", " ", "\u3000 ", " " * 30)
    for length in range(960, 1030, 3):
        for before, after in itertools.product(blanks, repeat=2):
            text = (
                f"{filler[:length]}{before}</X>{after}</X>Tail end{after}x Tail endx{before}Tail end{filler[:length]}"
            )
            assert twins.agree(text), ascii(text)


@pytest.mark.parametrize("name", ["roberta", "qwen2", "smollm2", "prefix space"])
def test_long_texts(name: str) -> None:
    """The core reads a text block by block (1 KB): nothing may change at the end of a block."""
    rng = random.Random(name)
    texts = ["".join(random_text(rng) for _ in range(rng.randint(20, 300))) for _ in range(40)]
    texts += ["x" * 5000, " " * 3000 + "x", "e" + "\u0301" * 3000, "中" * 3000, "1" * 4000, "\n" * 2500, "ab" * 4000]
    assert _twins(name).disagreements(texts) == []


def test_a_text_is_read_no_further_than_it_is_needed() -> None:
    """A text of 24 MB with a bound of 32 tokens takes no longer than its head: 20 times as long would show."""
    device = _twins("roberta").device
    text = "the cat sat on the mat, " * 1_000_000

    def seconds(given: str) -> float:
        start = time.perf_counter()
        for _ in range(20):
            device.encode(given, max_length=32)
        return time.perf_counter() - start

    (whole,) = device.encode(text[:4000])
    (cut,) = device.encode(text, max_length=32)
    assert cut.truncated
    assert cut.ids[:31].tolist() == whole.ids[:31].tolist()
    assert min(seconds(text) for _ in range(3)) < 20 * min(seconds(text[:4000]) for _ in range(3))


@pytest.mark.parametrize("strategy", ["longest_first", "only_second"])
@pytest.mark.parametrize("name", ["roberta", "modernbert"])
def test_windows(name: str, strategy: str) -> None:
    """Windows with a stride, the first token of each with its leading space as `tokenizers` gives it."""
    twins = _twins(name)
    rng = random.Random(strategy)
    pair = strategy == "only_second"
    for _ in range(200):
        first, second = random_text(rng, 3) if pair else "", random_text(rng, 60)
        texts = (first, second) if pair else (second, None)
        special = twins.reference.num_special_tokens_to_add(pair)
        room = len(twins.reference.encode(first, add_special_tokens=False)) + special + rng.randint(4, 12)
        twins.reference.enable_truncation(room, stride=3, strategy=strategy)
        expected = twins.reference.encode(*texts)
        twins.reference.no_truncation()
        windows = twins.device.encode(*texts, max_length=room, truncation=strategy, stride=3)
        found = [(window.ids.tolist(), [tuple(pair) for pair in window.offsets.tolist()]) for window in windows]
        assert found == [(window.ids, window.offsets) for window in (expected, *expected.overflowing)]


def test_a_very_long_word_is_not_quadratic() -> None:
    """A megabyte of one letter takes a second at most; quadratic merging would take hours."""
    twins = _twins("no regex")
    text = "a" * 1_000_000
    (encoding,) = twins.device.encode(text)
    assert encoding.ids.tolist() == twins.reference.encode(text).ids
