"""Byte-level BPE and Unigram through the ``tokenizers`` package, against transformers' own call."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import InputOutOfRangeError, InvalidArgumentError, InvalidTextError, TextTooLongError
from linnet.tokenization.tokenizer_json import TokenizerJson
from linnet_export.tokenizer import tokenizer_json_blob
from tests.runtime_bindings.text.oracle import Rows, device_rows, shared_texts
from tests.runtime_bindings.text.random_text import random_text
from tests.support.tokenizers import MAKERS, training_texts

families = pytest.mark.parametrize("family", sorted(MAKERS))

Row = tuple[Rows, list[int]]
"""What a window holds, and the number of each token's word."""


@functools.cache
def original(family: str) -> Any:
    """The tokenizer as transformers has it."""
    return MAKERS[family]()


@functools.cache
def device(family: str) -> TokenizerJson:
    """The same, out of the file's bytes."""
    return TokenizerJson(tokenizer_json_blob(original(family).backend_tokenizer))


@pytest.fixture(scope="module", autouse=True)
def _free() -> Iterator[None]:
    yield
    original.cache_clear()
    device.cache_clear()


def expected_rows(family: str, text: str, pair: str | None = None, **options: Any) -> list[Row]:
    """All windows of a call of transformers' tokenizer."""
    # as a batch of one: called with two texts, transformers takes an empty second text for none
    batch = [text] if pair is None else [(text, pair)]
    called = original(family)(batch, return_overflowing_tokens=True, return_offsets_mapping=True, **options)
    return [_row(encoding) for encoding in called.encodings]


def _row(encoding: tokenizers.Encoding) -> Row:
    sequences, words = (
        [-1 if value is None else value for value in values] for values in (encoding.sequence_ids, encoding.word_ids)
    )
    return (encoding.ids, encoding.type_ids, sequences, encoding.offsets), words


def found_rows(family: str, text: str, pair: str | None = None, **options: Any) -> list[Row]:
    """The same of the device's tokenizer."""
    opened = device(family)
    windows = opened.encode(text, pair, **options)
    return [(device_rows(window), opened.words(window).tolist()) for window in windows]


def real_lines(step: int) -> list[str]:
    """Every ``step``-th line of the shared data."""
    files = sorted(path for path in shared_texts().rglob("*") if path.is_file())
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    return lines[::step]


@families
def test_real_texts(family: str) -> None:
    lines = [*training_texts(), *(line[:500] for line in real_lines(200))]
    assert [line for line in lines if found_rows(family, line) != expected_rows(family, line)] == []


@pytest.mark.slow
@families
def test_many_real_texts(family: str) -> None:
    lines = real_lines(3)
    assert [line[:60] for line in lines if found_rows(family, line) != expected_rows(family, line)] == []


@families
def test_generated_pairs(family: str) -> None:
    rng = random.Random(21)
    mask = original(family).mask_token
    for _ in range(300):
        text, pair = random_text(rng), random_text(rng) + rng.choice(["", " ", f" {mask}", f"{mask} x"])
        assert found_rows(family, text, pair) == expected_rows(family, text, pair)
        bare = expected_rows(family, text, add_special_tokens=False)
        assert found_rows(family, text, add_special_tokens=False) == bare


@families
@settings(max_examples=60, deadline=None)
@given(text=st.text(), pair=st.none() | st.text())
def test_any_text(family: str, text: str, pair: str | None) -> None:
    assert found_rows(family, text, pair) == expected_rows(family, text, pair)


@families
def test_truncation_of_texts_and_pairs(family: str) -> None:
    rng = random.Random(22)
    for _ in range(300):
        text, pair = random_text(rng), rng.choice([None, random_text(rng)])
        max_length = rng.randint(5, 40)
        whole = len(expected_rows(family, text, pair)[0][0][0])
        expected = expected_rows(family, text, pair, truncation="longest_first", max_length=max_length)
        (window,) = device(family).encode(text, pair, max_length=max_length)
        assert device_rows(window) == expected[0][0]
        assert window.truncated == (whole > max_length)
        if whole > max_length:
            with pytest.raises(TextTooLongError, match=f"max_length {max_length} leaves room"):
                device(family).encode(text, pair, max_length=max_length, truncation="never")


@families
def test_windows(family: str) -> None:
    rng = random.Random(23)
    many = 0
    for _ in range(200):
        question, context = "which text", " ".join(rng.choices(training_texts(), k=rng.randint(1, 4)))
        options: dict[str, Any] = {
            "max_length": rng.randint(30, 64),
            "stride": rng.randint(0, 6),
            "truncation": "only_second",
        }
        found = found_rows(family, question, context, **options)
        assert found == expected_rows(family, question, context, **options)
        many += len(found) > 2
        if len(found) > 1:
            (cut,) = device(family).encode(
                question, context, max_length=options["max_length"], truncation="only_second"
            )
            assert device_rows(cut) == found[0][0]
            assert cut.truncated
    assert many > 50


@families
def test_special_tokens_alone_fill_the_room(family: str) -> None:
    opened = device(family)
    for texts in (("hello",), ("hello", "the text")):
        room = len(opened.encode(*("" for _ in texts))[0])
        for strategy in ("longest_first", "only_second"):
            (window,) = opened.encode(*texts, max_length=room, truncation=strategy)
            assert device_rows(window) == found_rows(family, *("" for _ in texts))[0][0]
            assert window.truncated
        with pytest.raises(InvalidArgumentError, match=f"the special tokens alone are {room}"):
            opened.encode(*texts, max_length=room - 1)


@families
def test_what_cannot_be_cut_is_refused(family: str) -> None:
    opened = device(family)
    with pytest.raises(TextTooLongError, match="needs a second text"):
        opened.encode("hello " * 9, max_length=8, truncation="only_second")
    with pytest.raises(TextTooLongError, match="leaves no token for the second"):
        opened.encode("hello " * 9, "x", max_length=8, truncation="only_second", stride=0)
    with pytest.raises(InvalidArgumentError, match="a stride of 50 tokens"):
        opened.encode("x", "hello " * 40, max_length=20, truncation="only_second", stride=50)
    with pytest.raises(InvalidArgumentError, match=r"max_length is -1.*stride is -2"):
        opened.encode("x", max_length=-1, stride=-2)
    with pytest.raises(InvalidArgumentError, match="'shortest'"):
        opened.encode("x", truncation="shortest")
    with pytest.raises(InvalidTextError, match="pair has a lone surrogate at character 1"):
        opened.encode("x", "a\ud800")


@families
def test_tokens_back_to_text(family: str) -> None:
    tokenizer, vocabulary = original(family), device(family).vocabulary
    assert vocabulary.ids == tokenizer.get_vocab()
    assert [vocabulary.token(token_id) for token_id in range(len(tokenizer))] == tokenizer.convert_ids_to_tokens(
        range(len(tokenizer))
    )
    assert vocabulary.token(len(tokenizer) + 7) == ""
    for text in (*training_texts(), f"a {tokenizer.mask_token} here, isn 't it ?"):
        ids = tokenizer(text)["input_ids"]
        tokens = tokenizer.convert_ids_to_tokens(ids)
        assert vocabulary.join(tokens) == tokenizer.convert_tokens_to_string(tokens)
        for skip in (False, True):
            assert vocabulary.decode(ids, skip_special=skip) == tokenizer.decode(ids, skip_special_tokens=skip)


@families
@pytest.mark.parametrize("clean_up", [False, True])
def test_tokens_back_to_text_one_by_one(family: str, clean_up: bool) -> None:
    backend = original(family).backend_tokenizer
    tokenizer = TokenizerJson(tokenizer_json_blob(backend, clean_up=clean_up))
    for text in ("", *training_texts()[:40]):
        ids = backend.encode(text).ids
        for skip in (False, True):
            stream = tokenizer.stream(skip_special=skip)
            pieces = [*map(stream.push, ids), stream.finish()]
            assert "".join(pieces) == tokenizer.vocabulary.decode(ids, skip_special=skip)
    stream = tokenizer.stream()
    with pytest.raises(InputOutOfRangeError, match="outside of a vocabulary"):
        stream.push(10**6)


def test_one_tokenizer_in_many_threads() -> None:
    """Calls with different bounds at the same time: the bound is a setting of the tokenizer underneath."""
    rng = random.Random(7)
    calls = [(random_text(rng), rng.choice([0, 8, 16])) for _ in range(200)]

    def encode(call: tuple[str, int]) -> list[Row]:
        return found_rows("roberta", call[0], max_length=call[1])

    alone = [encode(call) for call in calls]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(encode, calls * 4)) == alone * 4


_FORK = """
import os, sys
from linnet.tokenization.tokenizer_json import TokenizerJson
tokenizer = TokenizerJson(sys.stdin.buffer.read())
before = tokenizer.encode("turn the volume down")[0].ids.tolist()
child = os.fork()
if not child:
    os._exit(0 if tokenizer.encode("turn the volume down")[0].ids.tolist() == before else 1)
assert os.waitpid(child, 0)[1] == 0
heavy = ("torch", "transformers", "executorch")
print([name for name in heavy if name in sys.modules])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_encodes_in_silence() -> None:
    data = tokenizer_json_blob(original("roberta").backend_tokenizer)
    environment = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
    done = subprocess.run(
        [sys.executable, "-c", _FORK], input=data, capture_output=True, env=environment, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.decode().strip(), done.stderr.decode()) == (0, "[]", "")
