"""Unigram, with what SentencePiece models need around it, by the tables of the core: equal to `tokenizers`."""

from __future__ import annotations

import functools
import json
import random
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from linnet_export.tokenizer.errors import UnsupportedTokenizerError
from linnet_export.tokenizer.tables import tables_blob
from linnet_export.tokenizer.tables.trie import double_array
from tests.runtime_bindings.text.tables_oracle import (
    CODE_POINTS,
    TableTwins,
    code_point_batches,
    random_added_tokens,
    random_text,
    real_lines,
    table_twins,
    texts_with_added_tokens,
    training_corpus,
)
from tests.support.tokenizers import MAKERS, nmt_nfkc_charsmap

SCHEMES = ("always", "first", "never")


def _pieces(count: int = 500) -> list[tuple[str, float]]:
    """Pieces of the corpus's words, shorter and more frequent ones with higher scores."""
    counts: dict[str, int] = {}
    for text in training_corpus():
        word = "▁" + text.replace(" ", "▁")
        for size in range(1, 7):
            for at in range(0, len(word) - size + 1, size):
                counts[word[at : at + size]] = counts.get(word[at : at + size], 0) + 1
    best = sorted(counts, key=lambda piece: (-counts[piece] * len(piece), piece))[:count]
    return [(piece, -3.0 - position / 40 - 0.1 * len(piece)) for position, piece in enumerate(best)]


def _unigram(
    *, scheme: str = "always", split: bool = True, byte_fallback: bool = False, normalizer: Any = None
) -> Tokenizer:
    vocab = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), *_pieces()]
    if byte_fallback:
        vocab += [(f"<0x{byte:02X}>", -25.0) for byte in range(256)]
    tokenizer = Tokenizer(models.Unigram(vocab, 0, byte_fallback))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme, split=split)
    return tokenizer


def _precompiled() -> Any:
    return normalizers.Precompiled(nmt_nfkc_charsmap())


def _spaces() -> Any:
    return normalizers.Sequence([_precompiled(), normalizers.Replace(Regex(" {2,}"), " ")])


def _t5() -> Tokenizer:
    tokenizer = _unigram(normalizer=_precompiled())
    steps = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    return tokenizer


def _llama(*, fuse_unk: bool = True, prepend: bool = True) -> Tokenizer:
    """BPE as in Llama 2 and Gemma: normalizers instead of a pre-tokenizer, bytes of unknown characters."""
    trained = Tokenizer(models.BPE())
    replace = normalizers.Replace(" ", "▁")
    trained.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace]) if prepend else replace
    special = ["<unk>", "<s>", "</s>", *([f"<0x{byte:02X}>" for byte in range(256)] if prepend else [])]
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=special, limit_alphabet=120, show_progress=False, max_token_length=12
    )
    trained.train_from_iterator([text[:200] for text in training_corpus()], trainer)
    # without what training adds: bytes that are special tokens
    state = json.loads(trained.to_str())["model"]
    merges = [tuple(pair) for pair in state["merges"]]
    tokenizer = Tokenizer(
        models.BPE(vocab=state["vocab"], merges=merges, unk_token="<unk>", fuse_unk=fuse_unk, byte_fallback=prepend)
    )
    tokenizer.normalizer = trained.normalizer
    strip = [decoders.Strip(" ", 1, 0)] if prepend else []
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
    tokenizer.decoder = decoders.Sequence(steps)
    return tokenizer


def _odd_scores() -> Tokenizer:
    """Scores above zero, with which unknown characters side by side are worth more than the token they are."""
    vocab = [("<unk>", 0.0), ("a", 200.0), ("xy", 100.0), ("ab", 300.0), ("b", 100.0), ("▁", 150.0), ("▁a", 350.0)]
    tokenizer = Tokenizer(models.Unigram(vocab, 0, False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


MADE: dict[str, Callable[[], Tokenizer]] = {
    **{
        f"{scheme} {split}": functools.partial(_unigram, scheme=scheme, split=split)
        for scheme in SCHEMES
        for split in (True, False)
    },
    "bytes": lambda: _unigram(byte_fallback=True),
    "bytes, whole": lambda: _unigram(byte_fallback=True, split=False, scheme="first"),
    "nmt_nfkc": lambda: _unigram(normalizer=_precompiled()),
    "nmt_nfkc, nfkd": lambda: _unigram(normalizer=normalizers.Sequence([normalizers.NFKD(), _precompiled()])),
    "nmt_nfkc, first": lambda: _unigram(normalizer=_precompiled(), scheme="first", split=False),
    "nmt_nfkc, spaces": lambda: _unigram(normalizer=_spaces()),
    "strip": lambda: _unigram(normalizer=normalizers.Strip(), scheme="first"),
    "t5": _t5,
    "odd scores": _odd_scores,
    "llama": _llama,
    "gemma": lambda: _llama(prepend=False),
    "llama, each unknown": lambda: _llama(fuse_unk=False),
    **{
        name: lambda name=name: MAKERS[name]().backend_tokenizer  # type: ignore[misc]
        for name in ("albert", "deberta-v2", "xlm-roberta")
    },
}


@functools.cache
def _twins(name: str) -> TableTwins:
    return table_twins(MADE[name]())


@pytest.mark.parametrize("name", MADE)
def test_generated_texts(name: str) -> None:
    assert _twins(name).disagreements_on_generated(name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_many_generated_texts(name: str) -> None:
    rng = random.Random(f"{name} many")
    assert _twins(name).disagreements(random_text(rng, 30) for _ in range(200_000)) == []


@pytest.mark.parametrize(
    "shape", ["a{}b", *(pytest.param(shape, marks=pytest.mark.slow) for shape in ("{}", "e{}\u0301"))]
)
@pytest.mark.parametrize("name", ["always True", "bytes", "nmt_nfkc", "albert", "deberta-v2", "llama"])
def test_every_code_point(name: str, shape: str) -> None:
    assert _twins(name).disagreements(code_point_batches(shape)) == []


@pytest.mark.parametrize("name", ["nmt_nfkc, first", "strip", "albert"])
def test_every_code_point_begins_a_text(name: str) -> None:
    """What a normalizer removes in front of a text moves the places of all that follows."""
    rng = random.Random(name)
    twins = _twins(name)
    points = [c for c in CODE_POINTS if ord(c) < 0x3000 or rng.random() < 0.01]
    assert twins.disagreements(f"{c}ab \u200b{c}" for c in points) == []


@pytest.mark.parametrize("name", ["bytes, whole", "nmt_nfkc, spaces", "albert", "deberta-v2", "llama", "gemma"])
def test_real_texts(name: str) -> None:
    assert _twins(name).disagreements(real_lines(15)) == []


@settings(max_examples=300, deadline=None)
@given(text=st.text(), pair=st.none() | st.text())
def test_any_text(text: str, pair: str | None) -> None:
    for name in ("nmt_nfkc", "albert", "deberta-v2", "llama"):
        assert _twins(name).agree(text, pair)


@pytest.mark.parametrize("name", ["always False", "bytes", "nmt_nfkc, spaces", "albert", "deberta-v2", "llama"])
def test_long_texts(name: str) -> None:
    """The core reads a text block by block (1 KB): nothing may change at the end of a block."""
    rng = random.Random(name)
    texts = ["".join(random_text(rng) for _ in range(rng.randint(20, 300))) for _ in range(30)]
    texts += ["\ufeff" + text for text in texts[:5]]
    texts += ["x" * 5000, " " * 3000 + "x", "e" + "\u0301" * 3000, "中" * 3000, "\n" * 2500, "ab" * 4000, "a  b" * 900]
    assert _twins(name).disagreements(texts) == []


@pytest.mark.parametrize("seed", range(12))
def test_added_tokens(seed: int) -> None:
    """Added tokens with every mixture of flags: what is between them is a text of its own for some schemes."""
    rng = random.Random(seed)
    added = random_added_tokens(rng)
    normalizer = rng.choice([None, _precompiled(), _spaces(), normalizers.Strip(), normalizers.Lowercase()])
    tokenizer = _unigram(scheme=rng.choice(SCHEMES), split=rng.random() < 0.5, normalizer=normalizer)
    tokenizer.add_tokens(added)
    assert table_twins(tokenizer).disagreements(texts_with_added_tokens(rng)) == []


def test_a_character_map_of_any_content() -> None:
    """Maps that replace a letter, a cluster or nothing, beside clusters of every kind."""
    rng = random.Random(7)
    marks = (
        "\u0301",
        "\u200d",
        "\ufe0f",
        "\u0903",
        "\u094d",
        "\u0600",
        "🏽",
        "🇨",
        "\u1161",
        "\u11a8",
        "\r",
        "\n",
        "\u0300",
    )
    letters = ("a", "é", "क", "ष", "각", "가", "\u1100", "©", "👍", "🇭", "\u00a0", " ")
    for _ in range(60):
        keys = {rng.choice(letters) + "".join(rng.choices(marks, k=rng.randint(0, 2))) for _ in range(4)}
        entries = {key: rng.choice(("", "x", "yz", "中", "a\u0301")) for key in keys}
        tokenizer = _unigram(normalizer=normalizers.Precompiled(_character_map(entries)))
        texts = ["".join(rng.choices((*letters, *marks), k=rng.randint(1, 8))) for _ in range(200)]
        assert table_twins(tokenizer).disagreements(texts) == []


def _character_map(entries: dict[str, str]) -> bytes:
    """A map of SentencePiece: each unit has its children in a block of its own."""
    texts, units, following = bytearray(), [0] * 256, 256
    children: dict[bytes, int] = {b"": 0}

    def block_of(prefix: bytes) -> int:
        """The place of the block that the children of a unit are in."""
        nonlocal following
        at = children[prefix]
        if units[at] >> 10 == 0:
            units[at] |= (at ^ following) << 10
            units.extend([0] * 256)
            following += 256
        return at ^ units[at] >> 10

    for key, value in sorted(entries.items()):
        data = key.encode()
        for size in range(1, len(data) + 1):
            if data[:size] not in children:
                place = block_of(data[: size - 1]) ^ data[size - 1]
                units[place] = data[size - 1]
                children[data[:size]] = place
        place = block_of(data)
        units[children[data]] |= 1 << 8
        units[place] = 1 << 31 | len(texts)
        texts += value.encode() + b"\0"
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie)) + trie + bytes(texts)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_decoded_text(scheme: str) -> None:
    """Any list of tokens, also such as no text gives."""
    rng = random.Random(scheme)
    tokens = ("▁", "▁a", "a▁b", "x", "xx", " x ", "▁▁", "\u2582")
    tokenizer = Tokenizer(models.Unigram([(token, -1.0) for token in tokens], 0, False))
    tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
    twins = table_twins(tokenizer)
    assert all(twins.decodes(rng.choices(range(len(tokens)), k=rng.randint(1, 8))) for _ in range(500))


@pytest.mark.parametrize("name", ["always False", "nmt_nfkc, first", "llama"])
def test_a_very_long_word_is_not_quadratic(name: str) -> None:
    """Ten megabytes of one letter take a second or two; anything quadratic would take hours."""
    twins = _twins(name)
    began = time.process_time()
    (encoding,) = twins.device.encode("a" * 10_000_000)
    assert time.process_time() - began < 60
    (shorter,) = twins.device.encode("a" * 10_000)
    assert encoding.ids[:1000].tolist() == shorter.ids[:1000].tolist()
    assert shorter.ids.tolist() == twins.reference.encode("a" * 10_000).ids


@pytest.mark.parametrize("size", range(1, 20))
def test_tokens_of_every_size_are_found(size: int) -> None:
    """By their hash, as the parts of a word that are unknown one by one are."""
    token = "".join(random.Random(size).choices("abcxyz", k=size))
    vocab = [("<unk>", 0.0), (token, 1e9), (token + "q", -1.0)]
    twins = table_twins(Tokenizer(models.Unigram(vocab, 0, False)))
    assert twins.device.find(token) == 1


def test_a_trie_finds_every_token() -> None:
    rng = random.Random(3)
    tokens = [*dict.fromkeys(bytes(rng.choices(b"ab\xe4\x00\xff", k=rng.randint(1, 6))) for _ in range(3000))]
    units = double_array(tokens)
    for number, token in enumerate(tokens):
        base, found = int(units[0][0]) >> 8, set()
        for byte in token:
            unit, value = map(int, units[base ^ byte])
            assert unit & 0xFF == byte
            assert value & 1 << 30
            found.add((value & 0xFFFFFF) - 1)
            base = unit >> 8
            if value >> 31:
                break
        assert number in found


def _refused(change: Callable[[Tokenizer], None]) -> str:
    tokenizer = _unigram()
    change(tokenizer)
    with pytest.raises(UnsupportedTokenizerError) as caught:
        tables_blob(tokenizer)
    return str(caught.value)


def test_what_is_refused() -> None:
    def unknown(tokenizer: Tokenizer) -> None:
        tokenizer.model = models.Unigram([("a", -1.0)], None, False)

    def twice(tokenizer: Tokenizer) -> None:
        tokenizer.model = models.Unigram([("a", -1.0), ("b", -1.0), ("a", -2.0)], 0, False)

    def expression(tokenizer: Tokenizer) -> None:
        tokenizer.normalizer = normalizers.Replace(Regex("[aeiou]+"), "")

    def characters(tokenizer: Tokenizer) -> None:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()

    assert "byte-level" in _refused(characters)
    assert "unknown token" in _refused(unknown)
    assert "twice" in _refused(twice)
    assert "Replace" in _refused(expression)
