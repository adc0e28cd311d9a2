"""Structured pruning before training: heads, neurons, layers, vocabulary, embedding width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import transformers
from torch import Tensor

from linnet_train.config import ShrinkConfig
from linnet_train.prune.embeddings import factorize_embeddings
from linnet_train.prune.feed_forward import narrow_feed_forward
from linnet_train.prune.heads import prune_heads
from linnet_train.prune.layers import drop_layers
from linnet_train.prune.vocabulary import Trimmed, trim_vocabulary

__all__ = [
    "Trimmed",
    "drop_layers",
    "factorize_embeddings",
    "narrow_feed_forward",
    "prune_heads",
    "shrink",
    "trim_vocabulary",
]


def shrink(
    model: transformers.PreTrainedModel,
    tokenizer: Any,
    config: ShrinkConfig,
    texts: Sequence[str],
    batches: Callable[[Any], Sequence[dict[str, Any]]],
    progress: Callable[[str], None] = lambda text: None,
    loss: Callable[[Any, dict[str, Any]], Tensor] | None = None,
) -> tuple[Any, Any, list[str]]:
    """Prune ``model``, in place unless its class changes (BERT with narrow embeddings becomes ELECTRA).

    Args:
        model: a model with a trained head, if neurons are to be ranked by importance.
        tokenizer: its tokenizer.
        config: parts to remove.
        texts: the corpus that decides which tokens stay.
        batches: tokenizer -> tensors with labels on which the importance of neurons is measured.
        progress: called with the current step, as text.
        loss: (model, batch) -> a scalar; None: the model's own.

    Returns:
        the model, the tokenizer that belongs to it now, and a sentence on each step.

    Raises:
        ShrinkError: the model lacks the part to be removed.
    """
    done: list[str] = []
    if config.heads is not None:
        progress("importance of heads")
        done.append(prune_heads(model, config.heads, batches(tokenizer), loss))
    if config.intermediate_size is not None:
        progress("importance of neurons")
        # measured in the whole model, before layers go: there the neurons were trained
        done.append(narrow_feed_forward(model, config.intermediate_size, batches(tokenizer), loss))
    if config.layers is not None:
        done.append(drop_layers(model, config.layers))
    if config.vocabulary == "corpus":
        progress("vocabulary")
        trimmed = trim_vocabulary(model, tokenizer, texts, frequent=config.frequent)
        tokenizer = trimmed.tokenizer
        done.append(trimmed.text)
    if config.embedding_size is not None:
        progress("embeddings")
        model, text = factorize_embeddings(model, config.embedding_size, batches(tokenizer))
        done.append(text)
    return model, tokenizer, done
