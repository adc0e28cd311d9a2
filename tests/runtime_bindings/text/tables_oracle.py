"""The `tokenizers` package and the tables of the core side by side, made from the same tokenizer."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from linnet_export.tokenizer.tables import tables_blob
from linnet_runtime import Tokenizer as DeviceTokenizer
from tests.runtime_bindings.text.oracle import shared_texts
from tests.support.tokenizers import training_texts

Rows: TypeAlias = tuple[list[int], list[int], list[int], list[tuple[int, int]], list[int]]
"""ids, type ids, sequence ids (-1: special token), offsets in code points, words (-1: special token)."""

CODE_POINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]

# one or more of each class that an expression, a normalizer or an offset can treat in its own way
PIECES = (
    " ", "  ", "   ", "\n", "\r\n", "\n\n", "\t", "\x0b", "\x1c", "\x85", "\xa0", "\u2009", "\u3000",
    "\u2028", "\ufeff", "\u200b", "\u200d", "\0", "\x7f", "\ufffd", "'", "'s", "'S", "'\u017f", "'re",
    "'VE", "'ll", "'lL", "'d", "'x", "’s", "a", "the", "The", "HELLO", "hello", "world", "x", "é",
    "e\u0301", "\u0301", "\u0323\u0301", "É", "ß", "İ", "Σ", "ǅ", "ʰ", "ª", "ﬁ", "ｆｕｌｌ", "①", "½", "²",
    "Ⅷ", "٣", "7", "42", "2024", "1234567", "१२", "中文", "日本語", "カタカナ", "ひらがな", "한국어", "각",
    "\u1100\u1161", "ไทย", "กำ", "مرحبا", "שלום", "हिन्दी", "क्ष", "Привет", "Ёлка", "é́", "!", "!!", "...",
    "?!", "_", "-", "#", "€", "$9", "+", "=", "<", "|", "—", "“", "°", "👍", "👍🏽", "👩‍👩‍👧", "🇨🇭", "❤️",
    "\U0001d400", "\U0001f600", "\U000e0041", "\ue000", "http://a.b/c?d=e", "foo_bar", "camelCase", "``",
    "▁", "Ġ", "<s>", "</s>", "<mask>", "<|im_start|>", "[X]", "tail", "ß\u0323", "\u212b", "\u2126",
    "\ufb1d", "\u0344", "\u1e9b\u0323",
)  # fmt: skip


DECODERS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "fuse": decoders.Fuse,
    "byte fallback": lambda: decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    ),
    "bytes alone": decoders.ByteFallback,
    "strip left": lambda: decoders.Strip("l", 2, 0),
    "strip right": lambda: decoders.Strip("l", 0, 1),
    "strip the whole": lambda: decoders.Sequence([decoders.Fuse(), decoders.Strip("l", 2, 0)]),
    "replace in the whole": lambda: decoders.Sequence([decoders.Fuse(), decoders.Replace("lel", "L")]),
    "replace spaces": lambda: decoders.Sequence([decoders.Fuse(), decoders.Replace(Regex(" {2,}"), "_")]),
    "wordpiece": lambda: decoders.WordPiece(prefix="##", cleanup=True),
    "wordpiece as it is": lambda: decoders.WordPiece(prefix="he", cleanup=False),
    "wordpiece of the whole": lambda: decoders.Sequence([decoders.Fuse(), decoders.WordPiece()]),
    "suffix": lambda: decoders.BPEDecoder(suffix="</w>"),
    "suffix of letters": lambda: decoders.BPEDecoder(suffix="l"),
    "metaspace": lambda: decoders.Metaspace(prepend_scheme="always"),
    "metaspace never": lambda: decoders.Metaspace(prepend_scheme="never"),
}
"""Decoders of the core, in several settings, by name."""


def random_text(rng: random.Random, pieces: int = 14) -> str:
    """Up to ``pieces`` pieces, some of any plane of Unicode."""
    out = []
    for _ in range(rng.randint(0, pieces)):
        out.append(rng.choice(PIECES) if rng.random() < 0.9 else rng.choice(CODE_POINTS))
        if rng.random() < 0.4:
            out.append(" ")
    return "".join(out)


def code_point_batches(shape: str = "a{}b", size: int = 512) -> Iterator[str]:
    """All code points, each within ``shape``, some hundred to a text."""
    for start in range(0, len(CODE_POINTS), size):
        yield " ".join(shape.replace("{}", c) for c in CODE_POINTS[start : start + size])


_ADDED = ("<X>", "tail", "the", "wor", "e\u0301x", "É", "中", "...", "[X]", "lo wo")
_FLAGS = ("lstrip", "rstrip", "single_word", "normalized")


def random_added_tokens(rng: random.Random) -> list[AddedToken]:
    """Five added tokens with any mixture of flags."""
    return [
        AddedToken(content, special=rng.random() < 0.3, **{flag: rng.random() < 0.4 for flag in _FLAGS})
        for content in rng.sample(_ADDED, 5)
    ]


def texts_with_added_tokens(rng: random.Random, count: int = 2000) -> list[str]:
    """Texts in which :func:`random_added_tokens` stand beside letters and white space."""
    parts = (*_ADDED, " ", "  ", "\u3000", "\u200b", "x", "é", "hello", "\n")
    return ["".join(rng.choices(parts, k=rng.randint(1, 9))) for _ in range(count)]


def real_lines(step: int) -> list[str]:
    """Each line out of ``step`` of the shared texts."""
    files = sorted(path for path in shared_texts().rglob("*") if path.is_file())
    return [line for path in files for line in path.read_text(encoding="utf-8").splitlines()][::step]


@dataclass(frozen=True)
class TableTwins:
    """One tokenizer, twice."""

    reference: Tokenizer
    device: DeviceTokenizer

    def agree(self, text: str, pair: str | None = None, *, add_special_tokens: bool = True) -> bool:
        """Compare tokens with their places, and decoded text."""
        expected = reference_rows(self.reference.encode(text, pair, add_special_tokens=add_special_tokens))
        windows = self.device.encode(text, pair, add_special_tokens=add_special_tokens)
        return [device_rows(window) for window in windows] == [expected] and self.decodes(expected[0])

    def decodes(self, ids: Sequence[int]) -> bool:
        """Compare decoded text, with special tokens and without."""
        return all(
            self.device.decode(ids, skip_special=skip) == self.reference.decode(ids, skip_special_tokens=skip)
            for skip in (False, True)
        )

    def disagreements_on_generated(self, seed: str, count: int = 1500) -> list[str]:
        """The generated texts and pairs, with special tokens and without, on which the two differ."""
        rng = random.Random(seed)
        found = []
        for _ in range(count):
            text, pair = random_text(rng), random_text(rng) if rng.random() < 0.3 else None
            if not self.agree(text, pair, add_special_tokens=rng.random() < 0.9):
                found.append(f"{text!a} {pair!a}")
        return found

    def disagreements(self, texts: Iterable[str]) -> list[str]:
        """The first texts on which the two differ, as Python writes them."""
        differing = (ascii(text) for text in texts if not self.agree(text))
        return [text for text, _ in zip(differing, range(10), strict=False)]


def reference_rows(encoding: tokenizers.Encoding) -> Rows:
    sequences, words = (
        [-1 if value is None else value for value in values] for values in (encoding.sequence_ids, encoding.word_ids)
    )
    return encoding.ids, encoding.type_ids, sequences, encoding.offsets, words


def device_rows(window: Any) -> Rows:
    ids, types, sequences = (getattr(window, name).tolist() for name in ("ids", "type_ids", "sequence_ids"))
    words = [] if window.words is None else window.words.tolist()
    return ids, types, sequences, [tuple(pair) for pair in window.offsets.tolist()], words


def table_twins(reference: Tokenizer) -> TableTwins:
    reference.no_truncation()
    reference.no_padding()
    return TableTwins(reference, DeviceTokenizer(tables_blob(reference)))


@functools.cache
def training_corpus() -> tuple[str, ...]:
    """Texts to train small vocabularies on: sentences, and the pieces of generated texts."""
    rng = random.Random(5)
    return (*training_texts(), *(random_text(rng) for _ in range(300)))


def char_bpe(vocab_size: int = 400, *, normalizer: Any = None, pre_tokenizer: Any = None, **settings: Any) -> Tokenizer:
    """A BPE over characters, trained on the corpus of the tests; ``settings`` are those of the model."""
    tokenizer = Tokenizer(models.BPE(**settings))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    special = [token for token in (settings.get("unk_token"), "<s>", "</s>") if token]
    if settings.get("byte_fallback"):
        special += [f"<0x{byte:02X}>" for byte in range(256)]
    affixes = {name: settings[name] for name in ("continuing_subword_prefix", "end_of_word_suffix") if name in settings}
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=special, limit_alphabet=120, show_progress=False, **affixes
    )
    tokenizer.train_from_iterator(training_corpus(), trainer)
    return tokenizer


def byte_level_bpe(
    pre_tokenizer: Any = None, *, normalizer: Any = None, vocab_size: int = 600, added: Iterable[AddedToken] = ()
) -> Tokenizer:
    """A byte-level BPE trained on :func:`training_corpus`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(training_corpus(), trainer)
    tokenizer.add_tokens(list(added))
    return tokenizer
