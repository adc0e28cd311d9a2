"""Small tokenizers of the true shape of each family, trained on the texts that the exporter proves with.

Each maker returns what `transformers` makes of a checkpoint of that family: the same class, normalizer,
pre-tokenizer, post-processor, decoder, and special tokens with the ids and flags of the published
checkpoint that its docstring names. Only the vocabulary is small. ``save_pretrained`` writes it beside a
checkpoint.
"""

from __future__ import annotations

import functools
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tokenizers
import transformers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors, trainers

import linnet_export.proof

__all__ = [
    "MAKERS",
    "albert_tokenizer",
    "deberta_v2_tokenizer",
    "modernbert_tokenizer",
    "mpnet_tokenizer",
    "nmt_nfkc_charsmap",
    "roberta_tokenizer",
    "training_texts",
    "xlm_roberta_tokenizer",
]

VOCABULARY = 420
"""Default number of tokens, special tokens included; the 256 bytes of byte-level BPE leave room for some words."""


@functools.cache
def training_texts() -> tuple[str, ...]:
    """Return the texts that vocabularies are trained on: the exporter's own texts for its proof."""
    assert linnet_export.proof.__file__ is not None
    path = Path(linnet_export.proof.__file__).with_name("default_texts.jsonl")
    return tuple(json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines())


def roberta_tokenizer(vocab_size: int = VOCABULARY, **settings: Any) -> Any:
    """Byte-level BPE as in FacebookAI/roberta-base: ``<s> <pad> </s> <unk>`` first, ``<mask>`` last."""
    vocab, merges = _byte_level_bpe(("<s>", "<pad>", "</s>", "<unk>"), vocab_size - 1)
    vocab["<mask>"] = len(vocab)
    return transformers.RobertaTokenizer(vocab=vocab, merges=merges, **{"mask_token": _MASK, **settings})


def xlm_roberta_tokenizer(vocab_size: int = VOCABULARY, **settings: Any) -> Any:
    """Unigram as in FacebookAI/xlm-roberta-base: fairseq's four tokens first, ``<mask>`` last, nmt_nfkc."""
    first = ("<s>", "<pad>", "</s>", "<unk>")
    vocab = [*_zero(first), *_unigram(vocab_size - len(first) - 1), *_zero(["<mask>"])]
    return transformers.XLMRobertaTokenizer(
        vocab=vocab, _spm_precompiled_charsmap=nmt_nfkc_charsmap(), **{"mask_token": _MASK, **settings}
    )


def albert_tokenizer(vocab_size: int = VOCABULARY, **settings: Any) -> Any:
    """Unigram as in albert/albert-base-v2: ``<pad> <unk> [CLS] [SEP] [MASK]`` first, lower case, no accents."""
    first = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
    vocab = [*_zero(first), *_unigram(vocab_size - len(first), uncased=True)]
    mask = AddedToken("[MASK]", lstrip=True, normalized=False)
    return transformers.AlbertTokenizer(
        vocab=vocab, _spm_precompiled_charsmap=nmt_nfkc_charsmap(), **{"mask_token": mask, **settings}
    )


def deberta_v2_tokenizer(vocab_size: int = VOCABULARY, **settings: Any) -> Any:
    """Unigram as in microsoft/deberta-v3-base: ``[PAD] [CLS] [SEP] [UNK]`` first, ``[MASK]`` behind the vocabulary."""
    first = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
    vocab = [*_zero(first), *_unigram(vocab_size - len(first) - 1)]
    return transformers.DebertaV2Tokenizer(vocab=vocab, **settings)


def modernbert_tokenizer(vocab_size: int = VOCABULARY, **settings: Any) -> Any:
    """Byte-level BPE as in answerdotai/ModernBERT-base: GPT-NeoX's pieces, then white space, then BERT's tokens.

    The published tokenizer_config.json names ``PreTrainedTokenizerFast``: tokenizer.json is all there is.
    """
    first = ("|||IP_ADDRESS|||", "<|padding|>")
    spaces = [" " * width for width in (4, 3, 2)]
    special = ("<|endoftext|>", "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]")
    vocab, merges = _byte_level_bpe(first, vocab_size - len(spaces) - len(special))
    backend = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=merges, fuse_unk=False))
    backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_tokens([AddedToken(first[0], normalized=True)])
    backend.add_special_tokens([AddedToken(first[1], normalized=False)])
    # runs of white space are ordinary tokens, looked for in the normalized text
    backend.add_tokens([AddedToken(space, normalized=True) for space in spaces])
    backend.add_special_tokens([AddedToken(token, normalized=False, lstrip=token == "[MASK]") for token in special])
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, backend.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    names: dict[str, Any] = {f"{name.lower()}_token": f"[{name}]" for name in ("UNK", "CLS", "SEP", "PAD")}
    names["mask_token"] = AddedToken("[MASK]", lstrip=True, normalized=False)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        clean_up_tokenization_spaces=True,
        model_input_names=["input_ids", "attention_mask"],
        **{**names, **settings},
    )


def mpnet_tokenizer(vocab_size: int = VOCABULARY, **settings: Any) -> Any:
    """WordPiece as in microsoft/mpnet-base: fairseq's tokens first, BERT's unknown token, ``<mask>`` last."""
    first = ("<s>", "<pad>", "</s>", "<unk>", "[UNK]")
    words = Counter(word for text in training_texts() for word in re.findall(r"\w+|[^\w\s]", text.lower()))
    letters = sorted({letter for word in words for letter in word})
    common = sorted((word for word in words if len(word) > 1), key=lambda word: (-words[word], word))
    tokens = [*first, *letters, *(f"##{letter}" for letter in letters), *common][: vocab_size - 1]
    vocab = {token: index for index, token in enumerate([*tokens, "<mask>"])}
    return transformers.MPNetTokenizer(vocab=vocab, **settings)


MAKERS: Mapping[str, Callable[..., Any]] = {
    "albert": albert_tokenizer,
    "deberta-v2": deberta_v2_tokenizer,
    "modernbert": modernbert_tokenizer,
    "mpnet": mpnet_tokenizer,
    "roberta": roberta_tokenizer,
    "xlm-roberta": xlm_roberta_tokenizer,
}
"""`model_type` -> maker."""

_MASK = AddedToken("<mask>", lstrip=True, normalized=False)


@functools.cache
def nmt_nfkc_charsmap() -> Any:
    """Return the character map (bytes) of SentencePiece's rule ``nmt_nfkc``, which XLM-R and ALBERT carry."""
    return _sentencepiece(VOCABULARY, uncased=False).normalizer_spec.precompiled_charsmap


# -- training: each of these gives the same vocabulary in every process -------------------------------


def _byte_level_bpe(first: Sequence[str], vocab_size: int) -> tuple[dict[str, int], Any]:
    """Return token -> id, ``first`` before the rest, and the merges."""
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(first),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(training_texts(), trainer)
    model = json.loads(backend.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
    vocab = {token: index for index, token in enumerate([*first, *pieces])}
    return vocab, [(left, right) for left, right in model["merges"]]


def _zero(tokens: Iterable[str]) -> list[tuple[str, float]]:
    return [(token, 0.0) for token in tokens]


def _unigram(count: int, *, uncased: bool = False) -> list[tuple[str, float]]:
    """Return ``count`` pieces with their scores."""
    control = 3  # SentencePiece's own <unk>, <s> and </s> come first
    pieces = _sentencepiece(count + control, uncased=uncased).pieces[control:]
    assert len(pieces) == count
    return [(piece.piece, piece.score) for piece in pieces]


@functools.cache
def _sentencepiece(vocab_size: int, *, uncased: bool) -> Any:
    """Return the protocol buffer of a Unigram model; `tokenizers`' own trainer gives another one each time."""
    import sentencepiece
    from transformers.convert_slow_tokenizer import import_protobuf

    texts = [text for text in training_texts() if text]
    if uncased:
        plain = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
        texts = [plain.normalize_str(text) for text in texts]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        vocab_size=vocab_size,
        character_coverage=1.0,
        normalization_rule_name="nmt_nfkc",
        num_threads=1,
        minloglevel=2,
    )
    proto = import_protobuf().ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto
