"""Loading of checkpoints for training, from safetensors only and without remote code."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
import transformers

from linnet_export.checkpoint.opening import OpenedCheckpoint, open_checkpoint
from linnet_export.checkpoint.settings import label_names
from linnet_export.checkpoint.source import weights_sha256
from linnet_export.checkpoint.weights import load_model
from linnet_export.errors import CheckpointError
from linnet_export.graph.decoders import supported_decoders

__all__ = ["Loaded", "last_layer", "load_classifier", "load_decoder", "load_encoder", "load_masked"]


_WITH_NEXT_SENTENCE = ("bert", "mobilebert")


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A checkpoint, mostly with a classifier on top.

    Attributes:
        model: in eval mode, float32.
        tokenizer: transformers' tokenizer.
        labels: names of the classes.
        sha256: of the weights' files.
        new_head: the classifier is new, because the checkpoint has none for these labels.
    """

    model: transformers.PreTrainedModel
    tokenizer: Any
    labels: tuple[str, ...]
    sha256: str
    new_head: bool


def load_classifier(
    name: str,
    labels: Sequence[str] | None = None,
    dropout: float | None = None,
    head: str = "ForSequenceClassification",
) -> Loaded:
    """Load a checkpoint with a layer of classes on top.

    Args:
        name: local directory or hub id.
        labels: names of the classes; None: those of the checkpoint. Where the checkpoint has others, the
            classifier is made anew from the global generator.
        dropout: None: the checkpoint's own.
        head: what follows the architecture in the name of the model's class.

    Raises:
        CheckpointError: it cannot be loaded, or an exported program could not be made of it.
    """
    opened = _opened(name, dropout)
    config = opened.config
    own = _own_labels(opened, head)
    chosen = tuple(labels) if labels is not None else own
    config.id2label = dict(enumerate(chosen))
    config.label2id = {label: place for place, label in enumerate(chosen)}
    model = load_model(opened.folders, f"AutoModel{head}", config, new_head=labels is not None).model
    new_head = sorted(chosen) != sorted(own)
    if new_head:
        _make_head_anew(model)
    elif chosen != own:
        _reorder_head(model, [own.index(label) for label in chosen])
    return Loaded(model, _tokenizer(opened), chosen, weights_sha256(opened.files), new_head)


def load_encoder(name: str, dropout: float | None = None) -> Loaded:
    """Load a checkpoint without a head, for embeddings.

    Args:
        name: local directory or hub id.
        dropout: None: the checkpoint's own.

    Raises:
        CheckpointError: it cannot be loaded, or an exported program could not be made of it.
    """
    opened = _opened(name, dropout)
    model = load_model(opened.folders, "AutoModel", opened.config).model
    return Loaded(model, _tokenizer(opened), (), weights_sha256(opened.files), new_head=False)


def load_masked(name: str, dropout: float | None = None, *, next_sentence: bool = False) -> Loaded:
    """Load a masked language model; the head is new if the checkpoint has none.

    Args:
        name: local directory or hub id.
        dropout: None: the checkpoint's own.
        next_sentence: with the head for next-sentence prediction.

    Raises:
        CheckpointError: it cannot be loaded, an exported program could not be made of it, its tokenizer has no mask
            token, or it has no such second head.
    """
    opened = _opened(name, dropout)
    settings = opened.settings
    if next_sentence and settings.get("model_type") not in _WITH_NEXT_SENTENCE:
        raise CheckpointError(
            f"{name}: {settings.get('model_type')} has no head for next sentences; "
            f"{', '.join(_WITH_NEXT_SENTENCE)} have one"
        )
    kind = "PreTraining" if next_sentence else "MaskedLM"
    tokenizer = _tokenizer(opened)
    model = load_model(opened.folders, f"AutoModelFor{kind}", opened.config).model
    if tokenizer.mask_token_id is None:
        raise CheckpointError(f"{name}: its tokenizer has no mask token, so tokens cannot be masked")
    trained = any(name.endswith((f"For{kind}", "ForPreTraining")) for name in settings.get("architectures") or ())
    return Loaded(model, tokenizer, (), weights_sha256(opened.files), new_head=not trained)


def load_decoder(name: str, dropout: float | None = None) -> Loaded:
    """Load a causal language model.

    Args:
        name: local directory or hub id.
        dropout: None: the checkpoint's own.

    Raises:
        CheckpointError: it cannot be loaded, is no decoder, or an exported program could not be made of it.
    """
    opened = open_checkpoint(name, decoders=True)
    kind = str(opened.settings.get("model_type"))
    if kind not in supported_decoders():
        raise CheckpointError(
            f"{name}: {kind} generates no text; decoders have the model_type {', '.join(supported_decoders())}"
        )
    _set_dropout(opened.config, dropout)
    tokenizer = _tokenizer(opened)
    if tokenizer.pad_token_id is None:  # a batch is filled up with any token, since the mask hides it
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.pad_token_id is None:
        raise CheckpointError(f"{name}: its tokenizer has neither a padding token nor an end token")
    model = load_model(opened.folders, "AutoModelForCausalLM", opened.config).model
    return Loaded(model, tokenizer, (), weights_sha256(opened.files), new_head=False)


def _opened(name: str, dropout: float | None) -> OpenedCheckpoint:
    opened = open_checkpoint(name)
    _set_dropout(opened.config, dropout)
    return opened


def _tokenizer(opened: OpenedCheckpoint) -> Any:
    folder = opened.folders.tokenizer
    try:
        return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{folder}: transformers cannot read its tokenizer: {error}") from error


def _own_labels(opened: OpenedCheckpoint, head: str) -> tuple[str, ...]:
    """Labels of a checkpoint that was trained for some; a plain encoder's config only counts to two."""
    adapter = opened.folders.adapter
    trained = any(str(name).endswith(head) for name in opened.settings.get("architectures") or ())
    trained = trained or bool(adapter and adapter.architecture_suffix == head)
    return label_names(opened.folders.config, opened.config.id2label) if trained else ()


def _set_dropout(config: Any, dropout: float | None) -> None:
    if dropout is None:
        return
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"):
        if isinstance(getattr(config, name, None), float):
            setattr(config, name, dropout)


def last_layer(model: Any) -> torch.nn.Linear:
    """Return the layer that gives the logits."""
    return [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]


def _reorder_head(model: Any, order: list[int]) -> None:
    """Reorder the classes of the head."""
    last = last_layer(model)
    with torch.no_grad():
        last.weight.copy_(last.weight[order].clone())
        last.bias.copy_(last.bias[order].clone())


def _make_head_anew(model: Any) -> None:
    """Reinitialize the last layer; transformers keeps a head with other labels if their number is equal."""
    last = last_layer(model)
    torch.nn.init.normal_(last.weight, std=float(getattr(model.config, "initializer_range", 0.02)))
    if last.bias is not None:
        torch.nn.init.zeros_(last.bias)
