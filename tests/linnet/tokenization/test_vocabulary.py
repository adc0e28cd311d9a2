"""Tokens by id, ids by token, and what marks the parts of a word."""

from __future__ import annotations

import pytest

from linnet.errors import InputOutOfRangeError
from linnet.tokenization.vocabulary import Vocabulary
from linnet_runtime import _core
from tests.support.sdk_fakes import PIECES
from tests.support.wordpiece import wordpiece_bytes


def test_tokens_ids_and_prefix() -> None:
    tokenizer = _core.Tokenizer(wordpiece_bytes(PIECES))
    vocabulary = Vocabulary(tokenizer)
    assert [vocabulary.token(index) for index in range(len(vocabulary))] == list(PIECES)
    assert vocabulary.ids["cat"] == PIECES.index("cat")
    assert [index for index in range(len(PIECES)) if tokenizer.is_special(index)] == [0, 1, 2, 3, 4]
    assert tokenizer.prefix == "##"
    assert vocabulary.marks_words
    assert vocabulary.continues_word(PIECES.index("##soft"))
    assert not vocabulary.continues_word(PIECES.index("cat"))
    assert not vocabulary.continues_word(0)


def test_an_id_outside_of_the_vocabulary_is_named() -> None:
    vocabulary = Vocabulary(_core.Tokenizer(wordpiece_bytes(PIECES)))
    for token_id in (9999, -1, len(PIECES)):
        with pytest.raises(InputOutOfRangeError, match=f"id {token_id};"):
            vocabulary.token(token_id)
        with pytest.raises(InputOutOfRangeError, match=f"id {token_id};"):
            vocabulary.continues_word(token_id)
