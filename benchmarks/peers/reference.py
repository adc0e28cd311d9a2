"""The original model in PyTorch: the reference for all answers, and an engine itself."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModel

__all__ = ["Embedder", "load_embedder"]


class Embedder(torch.nn.Module):
    """A Hugging Face encoder with the mean pooling and normalization of sentence-transformers."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        """Return unit-length embeddings, float32 [batch, width]; all inputs are int64 [batch, tokens]."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(pooled, dim=1)


def load_embedder(checkpoint: Path, attention: str = "sdpa") -> Embedder:
    """Load a checkpoint in float32 for inference; ``attention`` is transformers' ``attn_implementation``."""
    encoder = AutoModel.from_pretrained(checkpoint, attn_implementation=attention, dtype=torch.float32)
    return Embedder(encoder).eval()
