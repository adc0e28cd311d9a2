"""ELECTRA, discriminator and generator: https://arxiv.org/abs/2003.10555."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from linnet_export.graph.architectures.base import Architecture, DeviceBody, Function
from linnet_export.graph.architectures.bert import bert_body
from linnet_export.graph.layers import LayerNorm, OutputLinear, copy_linear

__all__ = ["ARCHITECTURE"]


def _body(model: PreTrainedModel, max_length: int, token_types: bool) -> DeviceBody:
    base: Any = model.base_model
    return bert_body(base, max_length, token_types, project=getattr(base, "embeddings_project", None))


def _sequence_head(model: Any) -> nn.Module:
    # GELU whatever hidden_act says: transformers' ElectraClassificationHead fixes it
    return nn.Sequential(
        copy_linear(model.classifier.dense),
        Function(functional.gelu),
        copy_linear(model.classifier.out_proj, OutputLinear),
    )


def _fill_mask_head(model: Any) -> nn.Module:
    # GELU is fixed here, too (ElectraGeneratorPredictions)
    return nn.Sequential(
        copy_linear(model.generator_predictions.dense),
        Function(functional.gelu),
        LayerNorm(model.generator_predictions.LayerNorm),
        copy_linear(model.generator_lm_head),
    )


ARCHITECTURE = Architecture("electra", _body, _sequence_head, _fill_mask_head)
