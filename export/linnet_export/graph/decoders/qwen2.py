"""Qwen2 and Qwen2.5: Llama with biases of queries, keys and values (https://arxiv.org/abs/2407.10671)."""

from __future__ import annotations

from linnet_export.graph.decoders.base import Decoder, decoder_problems
from linnet_export.graph.decoders.llama import make_body

__all__ = ["DECODER"]

DECODER = Decoder(model_type="qwen2", body=make_body, problems=decoder_problems)
