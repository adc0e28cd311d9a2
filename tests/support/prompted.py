"""Small sentence-transformers models that leave the prompt out of the pooling, the same ones on every machine.

Weights and vocabularies are written out, not drawn by PyTorch or trained, so what sentence-transformers answered for
them (tests/linnet_export/golden/prompts.json) stays what these models answer.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers
from tokenizers import models, normalizers, pre_tokenizers, processors

from tests.support.checkpoints import VOCABULARY, write_sentence_modules, write_tokenizer

__all__ = ["FREE", "KINDS", "MAX_LENGTH", "POOLINGS", "PROMPTS", "TEXTS", "WIDTH", "write_prompted"]

WIDTH = 8
MAX_LENGTH = 20
POOLINGS = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
"""Poolings of the models, joined in this order."""

KINDS = ("wordpiece", "unigram", "unigram without an end")
"""Tokenizers: of the core, of the `tokenizers` package, and one that puts no special token behind a text."""

PROMPTS = {
    "query": "turn the music: ",
    "seam": "turn the musi",  # the next letter makes another token of its end
    "unknown": "turn the é",  # a token that is special, as [UNK] is
    "long": "open settings " * 12,
    "document": "",
}
"""Prompts by name; "query" is the default. "long" fills every text."""

FREE = "play it "
"""A prompt that the model has no name for."""

TEXTS = ("c down", "", "the bakery is closed at six", "open the bank account " * 6)

_PIECES = (
    *("▁turn", "▁the", "▁music", "▁open", "▁setting", "▁bakery", "▁is", "▁closed", "▁at", "▁six", "▁bank", "▁down"),
    *("▁account", "▁play", "▁it", "▁", "▁musi", "s", "c"),
    *"abdefghijklmnopqrtuvwxyz:",
)


def write_prompted(directory: Path, kind: str, pooling: str = "+".join(POOLINGS), *, normalize: bool = False) -> Path:
    """Write a checkpoint with a tokenizer of :data:`KINDS` into ``directory``, made if needed, and return it."""
    directory.mkdir(parents=True, exist_ok=True)
    size = len(VOCABULARY) if kind == "wordpiece" else len(_PIECES) + 5
    config = transformers.BertConfig(
        vocab_size=size, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32,
    )  # fmt: skip
    model = transformers.BertModel(config)
    numbers = np.random.default_rng(5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            drawn = torch.from_numpy(numbers.standard_normal(tuple(parameter.shape)))
            parameter.copy_(drawn if "_embeddings" in name else drawn / 4 + name.endswith("LayerNorm.weight"))
    model.save_pretrained(directory)
    if kind == "wordpiece":
        write_tokenizer(directory)
    else:
        _unigram(closed=kind == "unigram").save_pretrained(directory)
    write_sentence_modules(
        directory, normalize=normalize, max_seq_length=MAX_LENGTH, prompts=PROMPTS, default_prompt="query"
    )
    settings = {"embedding_dimension": WIDTH, "pooling_mode": pooling.split("+"), "include_prompt": False}
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    return directory


def _unigram(*, closed: bool) -> transformers.PreTrainedTokenizerFast:
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    pieces = [*((token, 0.0) for token in special), *((piece, -1.0) for piece in _PIECES)]
    tokenizer = tokenizers.Tokenizer(models.Unigram(pieces, unk_id=1))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]" if closed else "[CLS] $A",
        pair="[CLS] $A [SEP] $B",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    roles = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **roles)
