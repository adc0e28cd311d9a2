"""Damaged tables: a named error or an answer, never a crash. The sanitizers run these too."""

from __future__ import annotations

import random
import struct

import pytest

from linnet.errors import InputOutOfRangeError, TokenizerInvalidError
from linnet_export.tokenizer.tables import tables_blob
from linnet_runtime import Tokenizer
from tests.runtime_bindings.text.tables_oracle import random_text
from tests.support.tokenizers import modernbert_tokenizer, roberta_tokenizer

BLOBS = [tables_blob(make().backend_tokenizer) for make in (roberta_tokenizer, modernbert_tokenizer)]
TEXTS = [random_text(random.Random(seed)) for seed in range(4)]


def _use(data: bytes) -> bool:
    """Encode and decode with the bytes; return False if they were refused."""
    try:
        tokenizer = Tokenizer(data)
        for text in TEXTS:
            ids = tokenizer.encode(text, max_length=30)[0].ids.tolist()
            tokenizer.decode([min(token, tokenizer.vocab_size - 1) for token in ids], skip_special=True)
            for token in ids[:3]:
                tokenizer.token(token)
    except (TokenizerInvalidError, InputOutOfRangeError):
        return False
    return True


@pytest.mark.parametrize("data", BLOBS)
def test_every_way_to_cut_them_off_is_refused(data: bytes) -> None:
    assert _use(data)
    for size in [*range(200), *range(200, len(data), 37), len(data) - 1]:
        assert not _use(data[:size]), size
    assert not _use(data + b"\0")


@pytest.mark.parametrize("data", BLOBS)
def test_changed_bytes(data: bytes) -> None:
    rng = random.Random(1)
    for _ in range(3000):
        changed = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        _use(bytes(changed))


@pytest.mark.parametrize("data", BLOBS)
def test_changed_numbers(data: bytes) -> None:
    """Counts, sizes and ids that are far too large, or just too large."""
    rng = random.Random(2)
    for _ in range(3000):
        at = rng.choice((rng.randrange(len(data) - 4), rng.randrange(64)))
        (old,) = struct.unpack_from("<I", data, at)
        changed = bytearray(data)
        struct.pack_into("<I", changed, at, rng.choice((0xFFFFFFFF, 0x7FFFFFFF, 1 << 24, (old + 1) % 2**32, 0)))
        _use(bytes(changed))


def test_another_version_and_another_magic_are_named() -> None:
    newer = bytearray(BLOBS[0])
    newer[8] = 9
    with pytest.raises(TokenizerInvalidError, match="version 9 of tables, this build reads version 1"):
        Tokenizer(bytes(newer))
    with pytest.raises(TokenizerInvalidError, match="LNWORDPC"):
        Tokenizer(b"LNTOKTAC" + BLOBS[0][8:])
