"""Tiny decoders of every supported architecture."""

from __future__ import annotations

from typing import Any

import torch
import transformers

__all__ = ["CONFIGS", "VOCABULARY", "random_model"]

VOCABULARY = 97
_SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3,
    "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64,
}  # fmt: skip
_SCALED = {
    "rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip

CONFIGS = {
    "llama": transformers.LlamaConfig(**_SHAPE, tie_word_embeddings=True),
    "llama 3.2": transformers.LlamaConfig(**_SHAPE, rope_parameters=_SCALED, tie_word_embeddings=True),
    "llama, own head and biases": transformers.LlamaConfig(
        **_SHAPE, tie_word_embeddings=False, attention_bias=True, mlp_bias=True
    ),
    "qwen2": transformers.Qwen2Config(**{name: value for name, value in _SHAPE.items() if name != "head_dim"}),
    "qwen3": transformers.Qwen3Config(**_SHAPE),
    "gemma3": transformers.Gemma3TextConfig(
        **{**_SHAPE, "num_hidden_layers": 7}, sliding_window=5, query_pre_attn_scalar=8
    ),
    "gpt2": transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=48, n_layer=3, n_head=4, n_positions=64, bos_token_id=1, eos_token_id=1
    ),
}


def random_model(config: Any) -> Any:
    """Return a model of random weights in which no part is without effect."""
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model
