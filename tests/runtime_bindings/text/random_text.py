"""Seeded random texts that hold what a tokenizer can get wrong."""

from __future__ import annotations

import random

from tokenizers import AddedToken

from tests.runtime_bindings.text.oracle import Normalization

__all__ = ["random_added_tokens", "random_normalization", "random_text"]

WORDS = (
    "hello unaffable Foo foo foobar the été ÉTÉ Été née naïve don't U.S.A. über alles ##ing # ... !! "
    "[MASK] [CLS] [SEP] [UNK] [PAD] [mask] [MASK [X] [X]y </s> İx ẞ ſ Å Ω ǅ ffi ΑΣ Σ 中文 日本語 한국어 각 क्ष "
    "😀 👩‍👩‍👧 🇨🇭 e\u0301x ab\u0323"
).split(" ")
LONG_WORDS = ("x" * 99, "x" * 100, "x" * 101, "é" * 100, "é" * 101, "e\u0301" * 60, "中" * 50, "ab" * 400)
BLANKS = (" ", "  ", "\t", "\n", "\r\n", "\u3000", "\xa0", "\x85", "\x0b", "\u2028")
CONTROLS = ("\0", "\x07", "\x7f", "\u200b", "\u200d", "\ufeff", "\ufffd", "\u202e", "\U000e0041", "\ue000")
# Combining marks of many classes, some of them no accents (Mc), some that decompose into two.
MARKS = (
    "\u0300\u0301\u0302\u0308\u0323\u0327\u0345\u0334\u0344\u0f71\u0f72\u0f73\u0f75\u0f81\u302e\u302f\u1b44"
    "\u093c\u094d\u05b0\u064b\u3099\u20d0\u0e48\u1039\U0001d165\U0001d16d"
)
COMPOSED = "é\u1ee9\u1f82\u0344\u0f73\ufb1d\U0002f800\uf900\u212b\u037e\u2000\U0001d15e\u0130\u01d5각힣ㅏ"
PLANES = ((0x20, 0x7F), (0x80, 0x800), (0x800, 0x10000), (0x10000, 0x20000), (0x20000, 0x30000), (0x30000, 0x110000))

ADDED = (
    "foo", "fo", "foobar", "Foo", "o b", "ÉTÉ", "née", "中文", "中", "[X]", "[X]y", "!!", "...", "über alles", "a",
    "ß", "İx", "क्ष", "😀", "e\u0301x", "ing", "  ", "</s>", "#", "ab\u0323", "the", "\u2126hm", "x y z",
)  # fmt: skip


def random_character(rng: random.Random) -> str:
    """A code point of any plane, assigned or not, but no surrogate."""
    while True:
        code_point = rng.randrange(*rng.choice(PLANES))
        if not 0xD800 <= code_point < 0xE000:
            return chr(code_point)


def _random_piece(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.40:
        return rng.choice(WORDS)
    if kind < 0.55:
        return "".join(rng.choices(MARKS, k=rng.randint(1, 5)))
    if kind < 0.85:
        return "".join(random_character(rng) for _ in range(rng.randint(1, 6)))
    if kind < 0.95:
        return rng.choice(COMPOSED)
    return rng.choice(LONG_WORDS + CONTROLS)


def random_text(rng: random.Random, pieces: int = 12) -> str:
    """Up to ``pieces`` words, marks, characters, some of them without white space between."""
    out: list[str] = []
    for _ in range(rng.randint(0, pieces)):
        out.append(_random_piece(rng))
        if rng.random() < 0.6:
            out.append(" " if rng.random() < 0.7 else rng.choice(BLANKS))
    return "".join(out)


def random_normalization(rng: random.Random) -> Normalization:
    return Normalization(
        clean_text=rng.random() < 0.7,
        handle_chinese_chars=rng.random() < 0.7,
        strip_accents=rng.choice((None, True, False)),
        lowercase=rng.random() < 0.6,
    )


def random_added_tokens(rng: random.Random) -> list[AddedToken]:
    """Added tokens with every mixture of their flags."""
    return [
        AddedToken(
            content,
            single_word=rng.random() < 0.4,
            lstrip=rng.random() < 0.4,
            rstrip=rng.random() < 0.4,
            normalized=rng.random() < 0.6,
            special=rng.random() < 0.3,
        )
        for content in rng.sample(ADDED, rng.randint(0, 8))
    ]
