"""Training of a WordPiece vocabulary for linnet's device tokenizer, by the `tokenizers` package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tokenizers
import transformers
from tokenizers import models, normalizers, pre_tokenizers, trainers

from linnet.errors import InvalidArgumentError

__all__ = ["SPECIAL_TOKENS", "train_wordpiece"]

SPECIAL_TOKENS: tuple[str, ...] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""BERT's, in the order of its vocabularies; padding is 0."""


def train_wordpiece(texts: Iterable[str], size: int, *, lowercase: bool = True) -> Any:
    """Return a tokenizer of transformers whose vocabulary was trained on ``texts``.

    Args:
        texts: the corpus.
        size: of the vocabulary at most; a small corpus gives fewer tokens.
        lowercase: texts become lower case and lose their accents, as in BERT's uncased vocabularies.

    Raises:
        InvalidArgumentError: ``size`` does not hold the characters of the corpus.
    """
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    known = list(texts)
    first = [*SPECIAL_TOKENS, *_characters(tokenizer, known)]
    if len(first) > size:
        raise InvalidArgumentError(
            f"vocab_size is {size}, but the special tokens and the characters of the texts alone are {len(first)}"
        )
    # characters would be numbered in the order of a hash table, which breaks ties otherwise in each run
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=first, show_progress=False, min_frequency=2)
    tokenizer.train_from_iterator(known, trainer)
    return transformers.BertTokenizer(vocab=tokenizer.get_vocab(), do_lower_case=lowercase)


def _characters(tokenizer: tokenizers.Tokenizer, texts: Iterable[str]) -> list[str]:
    """Return the characters that begin a word, and those that go on with one, sorted."""
    words = {
        word
        for text in texts
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    }
    return [*sorted({word[0] for word in words}), *sorted({f"##{char}" for word in words for char in word[1:]})]
