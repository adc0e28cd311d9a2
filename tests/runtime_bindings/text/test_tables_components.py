"""Each component of the tables in each setting: the same tokens, places, words and text as `tokenizers`."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from linnet_export.tokenizer import UnsupportedTokenizerError
from linnet_export.tokenizer.tables import tables_blob
from tests.runtime_bindings.text.tables_oracle import (
    DECODERS,
    byte_level_bpe,
    char_bpe,
    code_point_batches,
    random_text,
    table_twins,
    training_corpus,
)

N, P, D = normalizers, pre_tokenizers, decoders
BEHAVIORS = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")

NORMALIZERS: dict[str, Callable[[], Any]] = {
    "lowercase": N.Lowercase,
    "strip accents": N.StripAccents,
    "nfd strip accents": lambda: N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()]),
    "strip": N.Strip,
    "strip left": lambda: N.Strip(left=True, right=False),
    "strip right": lambda: N.Strip(left=False, right=True),
    "prepend": lambda: N.Prepend("▁é"),
    "prepend and replace": lambda: N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]),
    "replace": lambda: N.Sequence([N.Replace("``", '"'), N.Replace("e\u0301", "xyz"), N.Replace("the", "")]),
    "replace spaces": lambda: N.Sequence([N.Replace(Regex(" {2,}"), " "), N.Strip()]),
    "nmt": lambda: N.Sequence([N.Nmt(), N.NFKC()]),
    **{
        f"bert {flags}": lambda flags=flags: N.BertNormalizer(*flags)  # type: ignore[misc]
        for flags in itertools.product((True, False), (True, False), (None, True, False), (True, False))
    },
}

PRE_TOKENIZERS: dict[str, Callable[[], Any]] = {
    "whitespace": P.Whitespace,
    "whitespace split": P.WhitespaceSplit,
    "bert": P.BertPreTokenizer,
    "digits": lambda: P.Digits(individual_digits=False),
    "individual digits": lambda: P.Digits(individual_digits=True),
    "delimiter": lambda: P.CharDelimiterSplit("e"),
    **{f"punctuation {how}": lambda how=how: P.Punctuation(how) for how in BEHAVIORS},  # type: ignore[misc]
    **{
        f"split {how} {invert}": lambda how=how, invert=invert: P.Split("l", how, invert)  # type: ignore[misc]
        for how in BEHAVIORS
        for invert in (False, True)
    },
    **{
        f"expression {how} {invert}": lambda how=how, invert=invert: P.Split(  # type: ignore[misc]
            Regex(r"\p{N}{1,3}"), how, invert
        )
        for how in BEHAVIORS
        for invert in (False, True)
    },
    "sequence": lambda: P.Sequence([P.WhitespaceSplit(), P.Digits(True), P.Punctuation()]),
}


def _texts(name: str, count: int = 400) -> list[str]:
    rng = random.Random(name)
    return ["", *(random_text(rng) for _ in range(count))]


@pytest.mark.parametrize("name", NORMALIZERS)
def test_normalizers(name: str) -> None:
    twins = table_twins(byte_level_bpe(normalizer=NORMALIZERS[name]()))
    long = ["".join(_texts(f"{name} long", 200)), " " * 3000 + "``" * 900 + "the " * 700]
    assert twins.disagreements([*_texts(name), *long]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lowercase", "strip accents", "nmt", "bert (True, True, None, True)"])
def test_normalizers_on_every_code_point(name: str) -> None:
    assert table_twins(byte_level_bpe(normalizer=NORMALIZERS[name]())).disagreements(code_point_batches()) == []


@pytest.mark.parametrize("name", PRE_TOKENIZERS)
def test_pre_tokenizers(name: str) -> None:
    twins = table_twins(char_bpe(pre_tokenizer=PRE_TOKENIZERS[name](), unk_token="<unk>"))
    assert twins.disagreements([*_texts(name), "".join(_texts(f"{name} long", 200))]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["whitespace", "whitespace split", "bert", "individual digits"])
def test_pre_tokenizers_on_every_code_point(name: str) -> None:
    twins = table_twins(char_bpe(pre_tokenizer=PRE_TOKENIZERS[name](), unk_token="<unk>"))
    assert twins.disagreements(code_point_batches("{}")) == []


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"unk_token": "<unk>"},
        {"unk_token": "<unk>", "fuse_unk": True},
        {"unk_token": "<unk>", "byte_fallback": True},
        {"unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True, "ignore_merges": True},
        {"byte_fallback": True},
        {"ignore_merges": True},
        {"unk_token": "<unk>", "continuing_subword_prefix": "##"},
        {"unk_token": "<unk>", "end_of_word_suffix": "</w>"},
        {"unk_token": "<unk>", "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>"},
    ],
    ids=lambda settings: " ".join(settings) or "plain",
)
def test_settings_of_bpe(settings: dict[str, Any]) -> None:
    twins = table_twins(char_bpe(800, pre_tokenizer=P.WhitespaceSplit(), **settings))
    assert twins.disagreements(_texts(str(settings), 1500)) == []
    whole = table_twins(char_bpe(800, **settings))
    assert whole.disagreements(_texts(f"{settings} whole", 300)) == []


@pytest.mark.parametrize("name", DECODERS)
def test_decoders(name: str) -> None:
    tokenizer = char_bpe(800, unk_token="<unk>", byte_fallback=True)
    decoder = DECODERS[name]()
    if decoder is not None:
        tokenizer.decoder = decoder
    twins = table_twins(tokenizer)
    rng = random.Random(name)
    size = tokenizer.get_vocab_size()
    for _ in range(500):
        ids = [rng.randrange(size) for _ in range(rng.randint(0, 12))]
        assert twins.decodes(ids), ids
    assert twins.disagreements(_texts(name, 200)) == []


def test_byte_level_decoder_on_any_ids() -> None:
    twins = table_twins(byte_level_bpe(added=[AddedToken("é x", special=True), AddedToken("<中>")]))
    rng = random.Random(3)
    size = twins.reference.get_vocab_size()
    for _ in range(3000):
        ids = [rng.randrange(size) for _ in range(rng.randint(0, 9))]
        assert twins.decodes(ids), ids


def test_word_level() -> None:
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = P.Whitespace()
    trainer = trainers.WordLevelTrainer(vocab_size=300, special_tokens=["<unk>", "<s>"], show_progress=False)
    tokenizer.train_from_iterator(training_corpus(), trainer)
    assert table_twins(tokenizer).disagreements(_texts("word level", 1000)) == []


def _template() -> Any:
    return processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 1)]
    )


@pytest.mark.parametrize(
    "make",
    [
        _template,
        lambda: processors.BertProcessing(("</s>", 1), ("<s>", 0)),
        lambda: processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=True, add_prefix_space=True),
        lambda: processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=True, add_prefix_space=False),
        lambda: processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=False, add_prefix_space=True),
        lambda: processors.ByteLevel(trim_offsets=True, add_prefix_space=True),
        lambda: processors.ByteLevel(trim_offsets=False),
        lambda: processors.Sequence([processors.ByteLevel(trim_offsets=True, add_prefix_space=True), _template()]),
    ],
)
def test_post_processors(make: Callable[[], Any]) -> None:
    tokenizer = byte_level_bpe(pre_tokenizers.ByteLevel(add_prefix_space=True))
    tokenizer.post_processor = make()
    twins = table_twins(tokenizer)
    rng = random.Random(11)
    for _ in range(800):
        pair = random_text(rng, 5) if rng.random() < 0.5 else None
        assert twins.agree(random_text(rng), pair, add_special_tokens=rng.random() < 0.8)


def _dropout() -> Tokenizer:
    return Tokenizer(models.BPE({"a": 0}, [], dropout=0.1))


def _with(**parts: Any) -> Tokenizer:
    tokenizer = byte_level_bpe()
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    return tokenizer


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (_dropout, "dropout"),
        (lambda: _with(pre_tokenizer=P.Split(Regex("a+b"), "isolated")), r"Split by .*a\+b"),
        (lambda: _with(pre_tokenizer=P.Sequence([P.ByteLevel(), P.Digits()])), "ByteLevel before others"),
        (lambda: _with(normalizer=N.Replace(Regex("a+"), "b")), r"Replace of .*a\+"),
        (lambda: _with(decoder=D.CTC()), "decoder CTC"),
        (lambda: _with(post_processor=processors.Sequence([_template(), processors.ByteLevel()])), "ByteLevel behind"),
    ],
)
def test_what_the_core_lacks_is_refused_by_name(make: Callable[[], Tokenizer], named: str) -> None:
    with pytest.raises(UnsupportedTokenizerError, match=named):
        tables_blob(make())
