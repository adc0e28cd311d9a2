"""XLM-RoBERTa, RoBERTa in a hundred languages: https://arxiv.org/abs/1911.02116."""

from __future__ import annotations

from linnet_export.graph.architectures.roberta import roberta_architecture

__all__ = ["ARCHITECTURE"]

ARCHITECTURE = roberta_architecture("xlm-roberta")
