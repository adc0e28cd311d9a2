"""Qwen3: Llama with normalized heads of queries and keys (https://arxiv.org/abs/2505.09388)."""

from __future__ import annotations

from linnet_export.graph.decoders.base import Decoder, decoder_problems
from linnet_export.graph.decoders.llama import make_body

__all__ = ["DECODER"]

DECODER = Decoder(model_type="qwen3", body=make_body, problems=decoder_problems)
