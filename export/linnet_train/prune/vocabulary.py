"""WordPiece vocabulary trimming: tokenizer and embedding reduced to the tokens of a corpus.

WordPiece takes the longest matching token at each position. If the trimmed vocabulary has every token of a text, each
longest match is still there and no longer one was added, so the text is tokenized as before. This is checked on the
whole corpus all the same.
"""

from __future__ import annotations

import dataclasses
import json
import string
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from torch import nn

from linnet_train.errors import ShrinkError

__all__ = ["Trimmed", "trim_vocabulary"]


@dataclasses.dataclass(frozen=True)
class Trimmed:
    """A smaller vocabulary.

    Attributes:
        tokenizer: the tokenizer with new ids.
        kept: old ids, in the order of the new ones.
        text: what was done, as a sentence.
    """

    tokenizer: Any
    kept: tuple[int, ...]
    text: str


def trim_vocabulary(
    model: transformers.PreTrainedModel, tokenizer: Any, texts: Sequence[str], *, frequent: int = 0
) -> Trimmed:
    """Reduce the vocabulary to the tokens of ``texts``; change the embedding of ``model`` in place.

    Special tokens and printable ASCII characters are kept, so that unknown Latin words are split into smaller
    pieces instead of becoming the unknown token.

    Args:
        model: its word embedding float32 [tokens, width] loses rows.
        tokenizer: a fast WordPiece tokenizer.
        texts: the corpus.
        frequent: the first so many words of the vocabulary stay too; BERT's vocabularies begin with the
            most frequent.

    Raises:
        ShrinkError: the tokenizer is not WordPiece, or a text of the corpus would be tokenized differently.
    """
    backend = _uncut(tokenizer)
    state = json.loads(backend.to_str())
    if state["model"]["type"] != "WordPiece":
        raise ShrinkError(f"the tokenizer is {state['model']['type']}; vocabularies are trimmed for WordPiece only")
    before = [encoding.ids for encoding in backend.encode_batch(list(texts))]
    kept = _kept_ids(state, {token for ids in before for token in ids}, frequent)
    smaller = _with_ids(tokenizer, state, kept)
    _check_same(smaller, texts, before, kept)
    _trim_embedding(model, kept)
    total = backend.get_vocab_size()
    return Trimmed(
        smaller, tuple(kept), f"{len(kept)} of {total} tokens; all {len(texts)} texts are tokenized as before"
    )


def _uncut(tokenizer: Any) -> tokenizers.Tokenizer:
    """Return a copy of the backend tokenizer without truncation and padding."""
    backend = tokenizers.Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_truncation()
    backend.no_padding()
    return backend


def _kept_ids(state: Mapping[str, Any], used: Iterable[int], frequent: int) -> list[int]:
    vocabulary: dict[str, int] = state["model"]["vocab"]
    prefix = state["model"]["continuing_subword_prefix"]
    characters = [character for character in string.printable if not character.isspace()]
    kept = {*used, *(int(token["id"]) for token in state["added_tokens"]), vocabulary[state["model"]["unk_token"]]}
    kept |= {vocabulary[character] for character in characters if character in vocabulary}
    kept |= {vocabulary[prefix + character] for character in characters if prefix + character in vocabulary}
    words = sorted(token for word, token in vocabulary.items() if len(word) > 1 and word.isascii() and word.isalpha())
    return sorted(kept | set(words[:frequent]))


def _with_ids(tokenizer: Any, state: dict[str, Any], kept: Sequence[int]) -> Any:
    """Return the tokenizer with only these tokens, as ``transformers`` reads it back from its files."""
    new = {old: place for place, old in enumerate(kept)}
    vocabulary = {word: new[token] for word, token in state["model"]["vocab"].items() if token in new}
    state["model"]["vocab"] = vocabulary
    state["added_tokens"] = [{**token, "id": new[token["id"]]} for token in state["added_tokens"]]
    _renumber_template(state.get("post_processor"), new)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        directory = Path(folder)
        tokenizers.Tokenizer.from_str(json.dumps(state)).save(str(directory / "tokenizer.json"))
        ordered = sorted(vocabulary, key=vocabulary.__getitem__)
        (directory / "vocab.txt").write_text("".join(f"{word}\n" for word in ordered), encoding="utf-8")
        return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)


def _renumber_template(processor: dict[str, Any] | None, new: Mapping[int, int]) -> None:
    if processor is None:
        return
    if processor["type"] == "TemplateProcessing":
        for token in processor["special_tokens"].values():
            token["ids"] = [new[old] for old in token["ids"]]
    elif processor["type"] == "BertProcessing":
        for role in ("sep", "cls"):
            processor[role][1] = new[processor[role][1]]
    else:
        raise ShrinkError(f"the tokenizer's post-processor is {processor['type']}, expected TemplateProcessing")


def _check_same(tokenizer: Any, texts: Sequence[str], before: Sequence[Sequence[int]], kept: Sequence[int]) -> None:
    after = _uncut(tokenizer).encode_batch(list(texts))
    for text, old, new in zip(texts, before, after, strict=True):
        if [kept[place] for place in new.ids] != list(old):
            raise ShrinkError(f"the trimmed tokenizer tokenizes {text!r:.60} differently: report this as a bug")


def _trim_embedding(model: transformers.PreTrainedModel, kept: Sequence[int]) -> None:
    old: Any = model.get_input_embeddings()
    config: Any = model.config
    padding = config.pad_token_id
    new = nn.Embedding(len(kept), old.embedding_dim, padding_idx=kept.index(padding) if padding in kept else None)
    with torch.no_grad():
        new.weight.copy_(old.weight[torch.tensor(kept)])
    model.set_input_embeddings(new)
    config.vocab_size = len(kept)
    config.pad_token_id = new.padding_idx
