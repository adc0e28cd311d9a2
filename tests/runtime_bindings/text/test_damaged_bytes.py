"""Damaged tokenizer bytes: refused by name, or harmless; never a crash."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken

from linnet.errors import InputOutOfRangeError, LinnetError, TokenizerInvalidError
from linnet_export.tokenizer import wordpiece_blob
from linnet_runtime import Tokenizer
from tests.runtime_bindings.text.oracle import real_reference, small_reference

TEXT = "A crazy fox, [MASK] née 中文 jumped"


@pytest.fixture(scope="module")
def small() -> bytes:
    reference = small_reference("née", "##née")
    reference.add_tokens([AddedToken("crazy fox", single_word=True), AddedToken("</s>", normalized=False, rstrip=True)])
    return wordpiece_blob(reference)


@pytest.fixture(scope="module")
def real() -> bytes:
    return wordpiece_blob(real_reference())


def _survives(data: bytes) -> bool:
    """True if the bytes are accepted; then they must give an answer or a named error too."""
    try:
        tokenizer = Tokenizer(data)
    except TokenizerInvalidError:
        return False
    try:
        tokenizer.encode(TEXT, TEXT, max_length=16)
        tokenizer.token(tokenizer.vocab_size // 2)
    except LinnetError:
        pass
    return True


def test_cut_anywhere(small: bytes) -> None:
    for size in range(len(small)):
        with pytest.raises(TokenizerInvalidError):
            Tokenizer(small[:size])
    with pytest.raises(TokenizerInvalidError, match="after their end"):
        Tokenizer(small + b"\0")


def test_real_bytes_cut_in_the_head_and_elsewhere(real: bytes) -> None:
    rng = random.Random(1)
    for size in (*range(64), *(rng.randrange(len(real)) for _ in range(200)), *range(len(real) - 200, len(real))):
        with pytest.raises(TokenizerInvalidError):
            Tokenizer(real[:size])


@pytest.mark.parametrize("seed", range(4))
def test_changed_bytes(small: bytes, seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(3_000):
        damaged = bytearray(small)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        accepted += _survives(bytes(damaged))
    assert 0 < accepted < 3_000


def test_changed_real_bytes(real: bytes) -> None:
    rng = random.Random(5)
    for _ in range(300):
        damaged = bytearray(real)
        damaged[rng.choice((rng.randrange(40), rng.randrange(len(damaged)))) % len(damaged)] ^= 1 << rng.randrange(8)
        _survives(bytes(damaged))


@settings(max_examples=300, deadline=None)
@given(tail=st.binary(max_size=200))
def test_any_bytes_after_the_head(tail: bytes) -> None:
    assert not _survives(b"LNWORDPC\x01\x00\x00\x00" + tail)
    assert not _survives(tail)


def test_another_version_is_named(small: bytes) -> None:
    with pytest.raises(TokenizerInvalidError, match="found version 2, this build reads version 1"):
        Tokenizer(small[:8] + b"\x02\0\0\0" + small[12:])


def test_tokens_by_id(real: bytes) -> None:
    reference = real_reference()
    device = Tokenizer(real)
    assert device.vocab_size == reference.get_vocab_size(with_added_tokens=True)
    assert all(device.token(i) == reference.id_to_token(i) for i in range(device.vocab_size))
    for wrong in (-1, device.vocab_size, 1 << 40):
        with pytest.raises(InputOutOfRangeError):
            device.token(wrong)
