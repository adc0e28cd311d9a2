"""Tokenizers of kind ``tokenizers`` that cannot be read or written: every refusal is named."""

from __future__ import annotations

import contextlib
import json
import random
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import BuildError, ExtraMissingError, TokenizerInvalidError
from linnet.tokenization.json_bytes import pack, unpack
from linnet.tokenization.tokenizer_json import TokenizerJson
from linnet_export.tokenizer import UnsupportedTokenizerError, read_tokenizer, tokenizer_bytes, tokenizer_json_blob
from linnet_runtime import Tokenizer as DeviceTokenizer
from tests.runtime_bindings.text.oracle import small_reference
from tests.support.tokenizers import MAKERS, roberta_tokenizer, training_texts, xlm_roberta_tokenizer


@pytest.fixture(scope="module")
def blob() -> bytes:
    return tokenizer_json_blob(roberta_tokenizer().backend_tokenizer)


# -- reading ---------------------------------------------------------------------------------------


def test_without_the_package_the_pip_line_is_named(blob: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ExtraMissingError, match=r'pip install "WHEEL\[tokenizers\]"') as caught:
        TokenizerJson(blob)
    assert isinstance(caught.value, BuildError)
    assert isinstance(caught.value, ImportError)


def test_another_version_of_tokenizers_is_named(blob: bytes) -> None:
    state = json.loads(unpack(blob)[0])
    state["model"]["type"] = "Syllables"
    future = pack(json.dumps(state))
    found = tokenizers.__version__
    with pytest.raises(TokenizerInvalidError, match=f"tokenizers {found} cannot read.*written by tokenizers 9.9.9"):
        TokenizerJson(future, made_with="9.9.9")
    with pytest.raises(TokenizerInvalidError, match=r'run: pip install "tokenizers==9\.9\.9", or export'):
        TokenizerJson(future, made_with="9.9.9")
    with pytest.raises(TokenizerInvalidError, match="; export the file again"):
        TokenizerJson(future, made_with=found)


def test_a_newer_layout_is_named(blob: bytes) -> None:
    for at, value in ((8, 2), (12, 8 | 1)):
        with pytest.raises(TokenizerInvalidError, match="install a newer linnet"):
            TokenizerJson(blob[:at] + struct.pack("<I", value) + blob[at + 4 :])


def test_cut_anywhere(blob: bytes) -> None:
    for size in (*range(64), *range(64, len(blob), 13)):
        with pytest.raises(TokenizerInvalidError):
            TokenizerJson(blob[:size])
    with pytest.raises(TokenizerInvalidError, match="does not end where it should"):
        TokenizerJson(blob + b"\0")


def test_no_changed_byte_is_believed(blob: bytes) -> None:
    """zlib's checksum finds what is damaged; only the flag for the clean-up can be flipped unseen."""
    rng = random.Random(3)
    for at in (*range(20), *(rng.randrange(20, len(blob)) for _ in range(300))):
        damaged = bytearray(blob)
        damaged[at] ^= 1 << rng.randrange(8)
        if at == 12 and damaged[at] == 3:
            continue
        with pytest.raises(TokenizerInvalidError):
            TokenizerJson(bytes(damaged))


@settings(max_examples=200, deadline=None)
@given(tail=st.binary(max_size=200), flags=st.integers(0, 3))
def test_any_bytes_after_the_head(tail: bytes, flags: int) -> None:
    with pytest.raises(TokenizerInvalidError):
        TokenizerJson(b"LNTOKJSN" + struct.pack("<3I", 1, flags, len(tail)) + tail)
    with pytest.raises(TokenizerInvalidError):
        TokenizerJson(tail)


def test_a_size_beyond_reason_is_refused_before_memory_is_asked_for() -> None:
    bomb = zlib.compress(b"0" * 1_000_000)
    for size in (10, 0xFFFFFFFF):
        with pytest.raises(TokenizerInvalidError):
            unpack(b"LNTOKJSN" + struct.pack("<3I", 1, 1, size) + bomb)


@settings(max_examples=100, deadline=None)
@given(text=st.text(), clean_up=st.booleans())
def test_what_is_packed_comes_back(text: str, clean_up: bool) -> None:
    data, flags = unpack(pack(text, clean_up=clean_up))
    assert (data.decode("utf-8"), bool(flags & 2)) == (text, clean_up)


# -- JSON that parses and makes no sense: an answer or a named error -----------------------------------


@pytest.mark.parametrize("part", ["normalizer", "pre_tokenizer", "post_processor", "decoder", "model", "added_tokens"])
def test_a_missing_part_is_no_crash(part: str) -> None:
    state = json.loads(xlm_roberta_tokenizer().backend_tokenizer.to_str())
    values: tuple[Any, ...] = (None, {}, [], 7)
    for value in values:
        with contextlib.suppress(TokenizerInvalidError):
            tokenizer = TokenizerJson(pack(json.dumps({**state, part: value})))
            tokenizer.encode("turn the volume", "down", max_length=9)
            tokenizer.vocabulary.decode([1, 2, 3])


# -- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", sorted(MAKERS))
def test_bytes_are_the_same_each_time_and_without_settings(family: str) -> None:
    backend = MAKERS[family]().backend_tokenizer
    before = tokenizer_json_blob(backend)
    backend.enable_truncation(8)
    backend.enable_padding(length=8)
    assert tokenizer_json_blob(backend) == before
    state = json.loads(unpack(before)[0])
    assert state["truncation"] is None
    assert state["padding"] is None
    assert len(before) < len(unpack(before)[0])


def test_the_core_is_preferred_and_the_note_names_what_it_lacks() -> None:
    own = tokenizer_bytes(small_reference("hello"))
    assert (own.kind, own.version, own.note) == ("wordpiece", "", "")
    tables = tokenizer_bytes(roberta_tokenizer().backend_tokenizer)
    assert (tables.kind, tables.version, tables.note) == ("tables", "", "")
    other = roberta_tokenizer().backend_tokenizer
    other.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex("a+b"), "isolated")
    fallback = tokenizer_bytes(other)
    assert (fallback.kind, fallback.version) == ("tokenizers", tokenizers.__version__)
    assert "the tokenizer has pre_tokenizer Split by" in fallback.note
    assert "linnet's extra tokenizers" in fallback.note


def test_word_piece_that_the_core_cannot_say_falls_back() -> None:
    reference = small_reference("hello", "world")
    reference.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    written = tokenizer_bytes(reference)
    assert written.kind == "tokenizers"
    assert "model WordPiece" in written.note
    text = "hello, world!"
    assert TokenizerJson(written.data).encode(text)[0].ids.tolist() == reference.encode(text).ids


def test_special_tokens_read_as_text_are_refused() -> None:
    backend = roberta_tokenizer().backend_tokenizer
    backend.encode_special_tokens = True
    with pytest.raises(UnsupportedTokenizerError, match="encode_special_tokens"):
        tokenizer_bytes(backend)


# -- checkpoints as they are published -----------------------------------------------------------------


def _write(directory: Path, model_type: str, **files: str) -> None:
    (directory / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text, encoding="utf-8")


def test_roberta_with_vocab_and_merges_only(tmp_path: Path) -> None:
    """As FacebookAI/roberta-base names no special token in any file: they come from the class."""
    original = roberta_tokenizer()
    model = json.loads(original.backend_tokenizer.to_str())["model"]
    merges = "#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in model["merges"])
    _write(tmp_path, "roberta", vocab__json=json.dumps(model["vocab"]), merges__txt=merges)
    loaded = read_tokenizer(tmp_path)
    assert loaded.special_tokens == {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
    device = DeviceTokenizer(tokenizer_bytes(loaded.backend).data)
    for text in training_texts():
        assert device.encode(text)[0].ids.tolist() == original(text)["input_ids"]


def test_deberta_with_a_sentencepiece_model_only(tmp_path: Path) -> None:
    """As microsoft/deberta-v3-base: spm.model and a tokenizer_config.json without a class."""
    import sentencepiece
    import transformers

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text for text in training_texts() if text),
        model_prefix=str(tmp_path / "spm"),
        vocab_size=400,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="[PAD]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        unk_piece="[UNK]",
    )
    _write(tmp_path, "deberta-v2", tokenizer_config__json=json.dumps({"do_lower_case": False, "vocab_type": "spm"}))
    loaded = read_tokenizer(tmp_path)
    original: Any = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.special_tokens["mask"] == "[MASK]"
    assert loaded.backend.token_to_id("[MASK]") == 400
    device = TokenizerJson(tokenizer_json_blob(loaded.backend))
    for text in training_texts():
        assert device.encode(text)[0].ids.tolist() == original(text)["input_ids"]
