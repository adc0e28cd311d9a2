"""text-ranking: a score for a query and a passage, by a cross-encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linnet_export.errors import CheckpointError
from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks.base import CSample, SampleValues, Task

if TYPE_CHECKING:
    from torch import nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["TextRanking"]

_ACTIVATIONS = {"Sigmoid": "sigmoid", "Identity": "none"}
"""Score function by the class of torch.nn that sentence-transformers saved."""


class TextRanking(Task):
    """Logits [batch, 1]."""

    name = "text-ranking"
    auto_class = "AutoModelForSequenceClassification"
    architecture_suffixes = ("ForSequenceClassification",)
    cross_encoder = True
    takes_pairs = True
    needs_pairs = True

    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Return a classifier of the first token, or of the mean of all."""
        from linnet_export.graph.heads.sequence import sequence_head

        return sequence_head(model, architecture)

    def score_function(self, config: Any, settings: dict[str, Any]) -> str:
        """Return what sentence-transformers' CrossEncoder takes: the saved activation, else sigmoid for one label."""
        labels = int(config.num_labels or 0)
        if labels != 1:
            raise CheckpointError(f"text-ranking needs a checkpoint with one output, this one has {labels}")
        saved = (settings.get("sentence_transformers") or {}).get("activation_fn")
        saved = saved or settings.get("sbert_ce_default_activation_function")
        if saved is None:
            return "sigmoid"
        name = str(saved).rsplit(".", 1)[-1]
        if name not in _ACTIVATIONS:
            raise CheckpointError(f"the cross-encoder's activation is {saved}, supported are {', '.join(_ACTIVATIONS)}")
        return _ACTIVATIONS[name]

    def kotlin_sample(self, values: SampleValues) -> str:
        """Return one passage a line, best first."""
        return f'model.rank({values.question}, listOf({values.text}, "Nothing else.")).joinToString("\\n")'

    def swift_sample(self, values: SampleValues) -> str:
        """Return the passages, best first."""
        return f'model.rank({values.question}, passages: [{values.text}, "Nothing else."])'

    def python_sample(self, values: SampleValues) -> str:
        """Print one passage a line, best first."""
        return f"""\
for passage in model.rank({values.question}, [{values.text}, "Nothing else."]):
        print(passage)"""

    def c_sample(self, values: SampleValues) -> CSample:
        """Score one passage."""
        call = f"linnet_score(task, &engine, TEXT({values.question}), text, 1, numbers, 1, &count)"
        return CSample(call, numbers=1)
