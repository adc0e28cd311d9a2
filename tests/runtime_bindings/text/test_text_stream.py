"""Streaming decode of the core: the text of all ids, as `tokenizers` decodes them, as soon as it is certain."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.decoders import DecodeStream

from linnet.errors import InputOutOfRangeError
from linnet_export.tokenizer.tables import tables_blob
from linnet_runtime import Tokenizer as DeviceTokenizer
from tests.runtime_bindings.text.oracle import real_reference, twins_of
from tests.runtime_bindings.text.tables_oracle import DECODERS, byte_level_bpe, char_bpe, random_text, table_twins
from tests.support.tokenizers import MAKERS


def _with_decoder(name: str) -> Tokenizer:
    tokenizer = char_bpe(800, unk_token="<unk>", byte_fallback=True)
    decoder = DECODERS[name]()
    if decoder is not None:
        tokenizer.decoder = decoder
    return tokenizer


MADE: dict[str, Callable[[], Any]] = {
    **{name: functools.partial(_with_decoder, name) for name in DECODERS},
    "byte-level": lambda: byte_level_bpe(added=[AddedToken("é x", special=True), AddedToken("<中>")]),
    "bytes only": lambda: byte_level_bpe(vocab_size=258),
    **{
        name: lambda name=name: MAKERS[name]().backend_tokenizer  # type: ignore[misc]
        for name in sorted({*MAKERS} - {"mpnet"})
    },
}


@functools.cache
def _pair(name: str) -> tuple[Tokenizer, DeviceTokenizer]:
    if name == "bert":
        twins = twins_of(real_reference())
        return twins.reference, twins.device
    made = table_twins(MADE[name]())
    return made.reference, made.device


def _pieces(device: DeviceTokenizer, ids: Sequence[int], *, skip: bool = False) -> list[str]:
    stream = device.stream(skip_special=skip)
    return [*(stream.push(token_id) for token_id in ids), stream.finish()]


def _random_ids(rng: random.Random, size: int, most: int = 16) -> list[int]:
    few = [rng.randrange(size) for _ in range(3)]
    return [rng.choice(few) if rng.random() < 0.3 else rng.randrange(size) for _ in range(rng.randint(0, most))]


@pytest.mark.parametrize("name", [*MADE, "bert"])
def test_pieces_of_any_ids_are_their_text(name: str) -> None:
    reference, device = _pair(name)
    rng = random.Random(name)
    size = reference.get_vocab_size()
    for _ in range(600):
        ids = _random_ids(rng, size)
        for skip in (False, True):
            expected = reference.decode(ids, skip_special_tokens=skip)
            assert "".join(_pieces(device, ids, skip=skip)) == expected, ids


@pytest.mark.parametrize("name", [*MADE, "bert"])
def test_pieces_of_texts_are_their_text(name: str) -> None:
    reference, device = _pair(name)
    rng = random.Random(f"{name} texts")
    for _ in range(200):
        ids = reference.encode(random_text(rng)).ids
        assert "".join(_pieces(device, ids)) == reference.decode(ids, skip_special_tokens=False), ids


@pytest.mark.parametrize("name", [*MADE, "bert"])
def test_what_came_is_certain(name: str) -> None:
    """Whatever tokens follow, the text begins with what the stream has given."""
    reference, device = _pair(name)
    rng = random.Random(f"{name} certain")
    size = reference.get_vocab_size()
    for _ in range(300):
        ids = _random_ids(rng, size, 8)
        text = "".join(_pieces(device, ids)[:-1])
        for _ in range(4):
            longer = [*ids, *_random_ids(rng, size, 4)]
            assert reference.decode(longer, skip_special_tokens=False).startswith(text), (ids, longer)


@pytest.mark.parametrize("name", ["byte-level", "bytes only", "roberta", "metaspace", "wordpiece", "bert"])
def test_no_later_than_the_stream_of_tokenizers(name: str) -> None:
    """As much text as the stream of `tokenizers`, or more, with each token of a text."""
    reference, device = _pair(name)
    rng = random.Random(f"{name} prompt")
    for _ in range(300):
        ids = reference.encode(random_text(rng), add_special_tokens=False).ids
        if "\ufffd" in reference.decode(ids):
            continue
        stream, theirs, ours = DecodeStream(skip_special_tokens=False), 0, 0
        for token_id, piece in zip(ids, _pieces(device, ids), strict=False):
            theirs += len(stream.step(reference, token_id) or "")
            ours += len(piece)
            assert ours >= theirs, ids


def test_a_split_emoji_comes_whole() -> None:
    reference, device = _pair("bytes only")
    ids = reference.encode("a👍🏽b").ids
    assert len(ids) == 10
    assert _pieces(device, ids) == ["a", "", "", "", "👍", "", "", "", "🏽", "b", ""]


def test_bytes_that_are_no_characters() -> None:
    reference, device = _pair("bytes only")
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    assert len(alphabet) == 256
    ids = reference.encode("👍").ids
    assert _pieces(device, ids[:3]) == ["", "", "", "\ufffd"]
    assert _pieces(device, [ids[0], ids[0], *ids]) == ["", "\ufffd", "\ufffd", "", "", "👍", ""]
    assert reference.decode([ids[0], ids[0], *ids]) == "\ufffd\ufffd👍"


def test_a_run_of_byte_tokens_waits_for_its_end() -> None:
    """`tokenizers` turns each byte of a run that is not UTF-8 as a whole into U+FFFD."""
    reference, device = _pair("byte fallback")
    first, second, letter = (reference.get_vocab()[token] for token in ("<0xC3>", "<0xA9>", "a"))
    assert _pieces(device, [first, second, letter]) == ["", "", "éa", ""]
    assert _pieces(device, [first, second, first, letter]) == ["", "", "", "\ufffd\ufffd\ufffda", ""]
    assert _pieces(device, [letter, first, second]) == ["a", "", "", "é"]


def test_what_is_stripped_at_the_end_of_the_whole() -> None:
    """By hand: up to three letters; `tokenizers` itself ends with a panic where the text is too short."""
    tokenizer = Tokenizer(models.WordLevel({"l": 0, "ll": 1, "xl": 2, "x": 3}, unk_token="x"))
    tokenizer.decoder = decoders.Sequence([decoders.Fuse(), decoders.Strip("l", 1, 3)])
    device = DeviceTokenizer(tables_blob(tokenizer))
    for count in range(7):
        for ids in itertools.product(range(4), repeat=count):
            text = "".join(("l", "ll", "xl", "x")[token_id] for token_id in ids)
            rest = text[text.startswith("l") :]
            expected = rest[: len(rest) - min(3, len(rest) - len(rest.rstrip("l")))]
            assert "".join(_pieces(device, ids)) == expected, ids
            assert device.decode(ids) == expected


def test_words_come_with_their_token() -> None:
    reference, device = _pair("bert")
    ids = reference.encode("Playing, don't!", add_special_tokens=False).ids
    assert _pieces(device, ids)[-1] == ""
    assert "".join(_pieces(device, ids)) == reference.decode(ids)


def test_clean_up_over_tokens() -> None:
    """The space before punctuation goes with the next token, in the order of the replacements of transformers."""
    tokens = (" ", ".", " .", "'", "'s", " n't", "n", "'t", " '", "x", "  ", "re", " ?", "!", ",", "é")
    tokenizer = Tokenizer(models.WordLevel({token: at for at, token in enumerate(tokens)}, unk_token="x"))
    tokenizer.decoder = decoders.Fuse()
    device = DeviceTokenizer(tables_blob(tokenizer, clean_up=True))
    rng = random.Random(4)
    for _ in range(3000):
        ids = rng.choices(range(len(tokens)), k=rng.randint(0, 9))
        expected = "".join(tokens[token_id] for token_id in ids)
        for old, new in _TRANSFORMERS_CLEAN_UP:
            expected = expected.replace(old, new)
        assert "".join(_pieces(device, ids)) == expected
        assert device.decode(ids) == expected


_TRANSFORMERS_CLEAN_UP = (
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"),
    (" 've", "'ve"), (" 're", "'re"),
)  # fmt: skip
"""As in clean_up_tokenization of transformers 5.23."""


def test_a_stream_takes_one_text_after_the_other() -> None:
    reference, device = _pair("byte fallback")
    stream = device.stream()
    ids = reference.encode(" some text").ids
    for _ in range(3):
        assert "".join([*map(stream.push, ids), stream.finish()]) == reference.decode(ids)
    assert stream.finish() == ""


def test_an_unknown_id_changes_nothing() -> None:
    _, device = _pair("bytes only")
    ids = device.encode("é")[0].ids.tolist()
    stream = device.stream()
    assert stream.push(ids[0]) == ""
    for wrong in (-1, device.vocab_size, 2**40):
        with pytest.raises(InputOutOfRangeError, match="outside of a vocabulary"):
            stream.push(wrong)
    assert stream.push(ids[1]) == "é"


def test_the_stream_keeps_its_tokenizer() -> None:
    reference, _ = _pair("bytes only")
    stream = DeviceTokenizer(tables_blob(reference)).stream()
    assert "".join([*map(stream.push, reference.encode("é x").ids), stream.finish()]) == "é x"


@pytest.mark.parametrize("name", ["bytes only", "byte fallback", "metaspace", "suffix", "replace in the whole", "bert"])
def test_a_token_costs_no_more_behind_many(name: str) -> None:
    """A hundred thousand tokens take a second at most; decoding all of them again each time would take hours."""
    reference, device = _pair(name)
    rng = random.Random(name)
    ids = [rng.randrange(reference.get_vocab_size()) for _ in range(100_000)]
    assert "".join(_pieces(device, ids)) == reference.decode(ids, skip_special_tokens=False)


def test_ids_without_a_token_give_nothing() -> None:
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 5, "c": 2}, unk_token="a"))
    device = table_twins(tokenizer).device
    assert _pieces(device, [5, 3, 0, 1, 2]) == ["b", "", " a", "", " c", ""]
    assert tokenizer.decode([5, 3, 0, 1, 2]) == "b a c"
