"""Seeded random models of transformers over the tests' small vocabulary, and the comparison with pipelines."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from tests.support.sdk_fakes import PIECES, Program

TEXTS = [
    "the cat sat on the mat",
    "Ada wrote the book, in London.",
    "New York is a big city; Microsoft?",
    "zzz éclair 漢字 \u200b dog's",
    "x",
    "the river runs through the old bridge house. the sun, the rain!",
]
_HEADS = {
    "text-classification": "BertForSequenceClassification",
    "token-classification": "BertForTokenClassification",
    "fill-mask": "BertForMaskedLM",
    "feature-extraction": "BertModel",
}


@functools.cache
def hf_model(task: str, names: tuple[str, ...] = (), **changes: Any) -> Any:
    """A seeded random BERT with spread-out logits."""
    if names:
        changes |= {"id2label": dict(enumerate(names)), "label2id": {name: at for at, name in enumerate(names)}}
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.4,
        **changes,
    )
    return getattr(transformers, _HEADS[task])(config).eval()


@functools.cache
def hf_tokenizer() -> Any:
    return transformers.BertTokenizer(vocab={piece: index for index, piece in enumerate(PIECES)}, model_max_length=24)


def eager(model: Any) -> Program:
    """The eager model as a program: its first output without the batch axis."""

    def program(ids: Any, types: Any) -> list[Any]:
        with torch.inference_mode():
            output = model(input_ids=torch.tensor(ids)[None], token_type_ids=torch.tensor(types)[None])
        return [output[0][0].numpy()]

    return program


def same(ours: Any, theirs: Any) -> None:
    """Equal structure, keys in the same order, numbers to float32's precision."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key, value in theirs.items():
            same(ours[key], value)
    elif isinstance(theirs, list):
        assert isinstance(ours, list)
        assert len(ours) == len(theirs)
        for left, right in zip(ours, theirs, strict=True):
            same(left, right)
    elif isinstance(theirs, float | np.floating):
        assert isinstance(ours, float)
        assert ours == pytest.approx(float(theirs), rel=2e-5, abs=1e-6)
    else:
        assert type(ours) is type(theirs)
        assert ours == theirs
