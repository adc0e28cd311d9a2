"""feature-extraction: an embedding per text, pooled and normalized inside the program, or one per token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks.base import CSample, SampleValues, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["FeatureExtraction"]


class FeatureExtraction(Task):
    """Embeddings [batch, hidden], or [batch, length, hidden] without pooling."""

    name = "feature-extraction"
    aliases = ("sentence-similarity",)
    auto_class = "AutoModel"
    architecture_suffixes = ("Model",)
    embeds = True
    unused_weights = ("pooler.",)

    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Return pooling and normalization."""
        from linnet_export.graph.heads.embedding import embedding_head

        return embedding_head(settings)

    def outputs(self, settings: HeadSettings) -> tuple[str, ...]:
        """Return the name of the pooled embedding, or of those of the tokens."""
        return ("token_embeddings",) if settings.pooling == "none" else ("embedding",)

    def score_function(self, config: Any, settings: dict[str, Any]) -> str:
        """Return none: an embedding is no score."""
        return "none"

    def original_outputs(self, result: Any) -> dict[str, Tensor]:
        """Return the hidden state of every token."""
        return {"token_embeddings": result.last_hidden_state}

    def kotlin_sample(self, values: SampleValues) -> str:
        """Return the first numbers."""
        return f"model.embed({values.text}).joinToString(limit = 5)"

    def swift_sample(self, values: SampleValues) -> str:
        """Return the embedding."""
        return f"model.embed({values.text})"

    def python_sample(self, values: SampleValues) -> str:
        """Print the first numbers, or all where there is an embedding per token."""
        return f"print(model.encode({values.text})[:5])" if values.embedding_size else f"print(model({values.text}))"

    def c_sample(self, values: SampleValues) -> CSample:
        """Embed one text."""
        size = values.embedding_size
        return CSample(f"linnet_embed(task, &engine, text, 1, NULL, 0, numbers, {size})", numbers=size)
