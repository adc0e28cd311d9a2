"""The 250 002 pieces of multilingual E5 small by the tables of the core: equal to `tokenizers`, and opened at once."""

from __future__ import annotations

import random
import time

import pytest
import tokenizers

from linnet_export.tokenizer.tables import tables_blob
from linnet_runtime import Tokenizer as DeviceTokenizer
from tests.runtime_bindings.text.tables_oracle import TableTwins, code_point_batches, random_text, real_lines
from tests.support.real_weights import real_weights

LONGEST_OPENING = 0.005  # seconds, of which copying the bytes is the larger part


@pytest.fixture(scope="module")
def blob_and_twins() -> tuple[bytes, TableTwins]:
    directory = real_weights("e5-small-multilingual")
    reference = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
    blob = tables_blob(reference)
    return blob, TableTwins(reference, DeviceTokenizer(blob))


def test_texts(blob_and_twins: tuple[bytes, TableTwins]) -> None:
    _, twins = blob_and_twins
    rng = random.Random(1)
    texts = [*real_lines(30), *(random_text(rng, 20) for _ in range(2000)), *code_point_batches("a{}b", 2048)]
    assert twins.disagreements(texts) == []


def test_opening(blob_and_twins: tuple[bytes, TableTwins]) -> None:
    blob, _ = blob_and_twins
    seconds = []
    for _ in range(7):
        began = time.perf_counter()
        DeviceTokenizer(blob)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < LONGEST_OPENING
