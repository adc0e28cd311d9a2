"""RoBERTa, BERT with other positions and heads: https://arxiv.org/abs/1907.11692."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import Architecture, DeviceBody, Function, positions_behind_padding
from linnet_export.graph.architectures.bert import bert_body
from linnet_export.graph.layers import LayerNorm, OutputLinear, copy_linear

__all__ = ["ARCHITECTURE", "fill_mask_head", "roberta_architecture", "sequence_head"]


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    base: Any = model.base_model
    return bert_body(base, max_length, token_types, padding=base.config.pad_token_id)


def sequence_head(model: Any) -> nn.Module:
    """Return the device form of a ``RobertaClassificationHead`` (MPNet's has the same parts)."""
    head = model.classifier
    return nn.Sequential(copy_linear(head.dense), Function(torch.tanh), copy_linear(head.out_proj, OutputLinear))


def fill_mask_head(model: Any) -> nn.Module:
    """Return the device form of a ``RobertaLMHead`` (MPNet's has the same parts)."""
    # GELU whatever hidden_act says: transformers fixes it
    head = model.lm_head
    return nn.Sequential(
        copy_linear(head.dense), Function(functional.gelu), LayerNorm(head.layer_norm), copy_linear(head.decoder)
    )


def roberta_architecture(model_type: str) -> Architecture:
    """Return RoBERTa under the ``model_type`` of one of its descendants."""
    return Architecture(model_type, _body, sequence_head, fill_mask_head, positions=positions_behind_padding)


ARCHITECTURE = roberta_architecture("roberta")
