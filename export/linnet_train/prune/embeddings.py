"""Embedding factorization: narrow embeddings and a linear projection to the encoder's width.

Lan et al., "ALBERT", <https://arxiv.org/abs/1909.11942>, section 3.1. Of the encoders that transformers reads, ELECTRA
is BERT with such a layer (``embeddings_project``), so a factorized BERT is an ELECTRA. It applies
layer normalization to the narrow embeddings where BERT applies it to the wide ones: the projection is a least-squares
fit, not an exact factorization, and training has to close the gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from linnet_train.errors import ShrinkError

__all__ = ["factorize_embeddings"]

_TABLES = ("word_embeddings", "position_embeddings", "token_type_embeddings")
_RIDGE = 1e-6  # of the mean square
_SHARED_SETTINGS = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
    "hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings", "type_vocab_size",
    "initializer_range", "layer_norm_eps", "pad_token_id", "id2label", "label2id", "problem_type",
)  # fmt: skip


def factorize_embeddings(
    model: transformers.PreTrainedModel, size: int, batches: Sequence[dict[str, Any]]
) -> tuple[transformers.PreTrainedModel, str]:
    """Return an ELECTRA whose embeddings are ``size`` wide and resemble those of a BERT on these texts.

    Args:
        model: a BERT with or without a head.
        size: width of the embeddings, less than the encoder's.
        batches: `input_ids` and perhaps `token_type_ids` int64 [rows, tokens], `attention_mask`.

    Raises:
        ShrinkError: it is no BERT, or its embeddings are not wider.
    """
    config: Any = model.config
    kind = getattr(transformers, type(model).__name__.replace("Bert", "Electra"), None)
    if config.model_type != "bert" or kind is None:
        raise ShrinkError(f"embedding_size is for BERT, which becomes ELECTRA; the model is {type(model).__name__}")
    if size >= config.hidden_size:
        raise ShrinkError(f"embedding_size is {size}, the encoder is {config.hidden_size} wide; expected less")
    shared = {name: getattr(config, name) for name in _SHARED_SETTINGS if getattr(config, name, None) is not None}
    settings: Any = transformers.ElectraConfig(embedding_size=size, **shared)
    settings._attn_implementation = "eager"  # as the model that it comes from
    made = kind(settings)
    _copy_encoder(model, made)
    explained = _fit(_embeddings(model), made.base_model, batches)
    return made.eval(), (
        f"embeddings {size} instead of {config.hidden_size} wide, with {explained:.1%} of their variance; BERT became "
        "ELECTRA, which has such embeddings"
    )


def _embeddings(model: Any) -> nn.Module:
    embeddings: nn.Module = model.base_model.embeddings
    return embeddings


def _copy_encoder(model: Any, made: Any) -> None:
    """Copy layers and head; ELECTRA's classifier has the pooler's layer in it, with GELU where BERT has tanh."""
    made.base_model.encoder.load_state_dict(model.base_model.encoder.state_dict())
    head = getattr(model, "classifier", None)
    if head is not None and hasattr(made.classifier, "out_proj"):
        made.classifier.out_proj.load_state_dict(head.state_dict())
        made.classifier.dense.load_state_dict(model.base_model.pooler.dense.state_dict())
    elif head is not None:
        made.classifier.load_state_dict(head.state_dict())
    elif hasattr(model, "qa_outputs"):
        made.qa_outputs.load_state_dict(model.qa_outputs.state_dict())


@torch.no_grad()
def _fit(wide: Any, encoder: Any, batches: Sequence[dict[str, Any]]) -> float:
    """Set the embeddings and the projection of ``encoder``; return the share of the variance that they explain."""
    narrow, project = encoder.embeddings, encoder.embeddings_project
    sums, wanted = _on_texts(wide, batches)
    basis = _basis(_centred(sums), project.in_features)
    for name in _TABLES:
        getattr(narrow, name).weight.copy_(_centred(getattr(wide, name).weight) @ basis)
    given = nn.functional.layer_norm(_centred(sums) @ basis, (project.in_features,), eps=narrow.LayerNorm.eps)
    columns = torch.cat([given, torch.ones(len(given), 1)], dim=1).double()
    squares = columns.T @ columns
    # few texts leave directions open; there a small weight is the better guess
    squares += _RIDGE * squares.diagonal().mean() * torch.eye(len(squares), dtype=torch.float64)
    solution = torch.linalg.solve(squares, columns.T @ wanted.double())
    project.weight.copy_(solution[:-1].T)
    project.bias.copy_(solution[-1])
    left = (columns @ solution - wanted).square().sum()
    return float(1 - left / (wanted - wanted.mean(dim=0)).square().sum())


def _basis(rows: Tensor, size: int) -> Tensor:
    """Return what makes rows narrow, float32 [width, size]: principal components, turned so that no row has a mean.

    The layer norm behind takes a row's mean away; so ``size`` channels hold ``size - 1`` components.
    """
    wide = rows.double()
    components = torch.linalg.eigh(wide.T @ wide).eigenvectors.float().flip(1)[:, : size - 1]
    without_mean = torch.linalg.qr(torch.cat([torch.ones(size, 1), torch.eye(size)[:, 1:]], dim=1)).Q[:, 1:]
    return components @ without_mean.T


def _on_texts(wide: Any, batches: Sequence[dict[str, Any]]) -> tuple[Tensor, Tensor]:
    """Return what the layer norm of the embeddings reads and gives on the tokens of texts, float32 [tokens, width]."""
    read: list[Tensor] = []
    given: list[Tensor] = []
    handle = wide.LayerNorm.register_forward_hook(lambda _norm, inputs, _output: read.append(inputs[0]))
    try:
        for batch in batches:
            places = batch["attention_mask"] > 0
            outputs = wide(input_ids=batch["input_ids"], token_type_ids=batch.get("token_type_ids"))
            read[-1] = read[-1][places]
            given.append(outputs[places])
    finally:
        handle.remove()
    return torch.cat(read), torch.cat(given)


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(dim=-1, keepdim=True)
