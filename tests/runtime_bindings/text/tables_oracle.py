"""The `tokenizers` package and the tables of the core side by side, made from the same tokenizer."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from linnet_export.tokenizer.tables import tables_blob
from linnet_runtime import Tokenizer as DeviceTokenizer
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
