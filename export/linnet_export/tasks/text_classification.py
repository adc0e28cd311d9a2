"""text-classification: one label, or several, for a text or a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks.base import CSample, SampleValues, Task

if TYPE_CHECKING:
    from torch import nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["TextClassification"]


class TextClassification(Task):
    """Logits [batch, labels]."""

    name = "text-classification"
    aliases = ("sentiment-analysis",)
    auto_class = "AutoModelForSequenceClassification"
    architecture_suffixes = ("ForSequenceClassification",)
    cross_encoder = False
    takes_pairs = True
    has_labels = True

    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Return a classifier of the first token, or of the mean of all."""
        from linnet_export.graph.heads.sequence import sequence_head

        return sequence_head(model, architecture)

    def score_function(self, config: Any, settings: dict[str, Any]) -> str:
        """Return what transformers' TextClassificationPipeline takes."""
        if config.problem_type == "regression":
            return "none"
        if config.problem_type == "multi_label_classification" or config.num_labels == 1:
            return "sigmoid"
        return "softmax"

    def kotlin_sample(self, values: SampleValues) -> str:
        """Return the three best labels with their scores."""
        shown = f'.joinToString("\\n") {{ "${{{values.labels}.of(it.label)}} ${{it.score}}" }}'
        return f"model.classify({values.text}, topK = 3){shown}"

    def swift_sample(self, values: SampleValues) -> str:
        """Return the best label as a constant."""
        return f"{values.labels}(rawValue: model.classify({values.text})[0].label)"

    def python_sample(self, values: SampleValues) -> str:
        """Print the best label as a constant, and its score."""
        return f"""\
best = model({values.text})[0]
    print({values.labels}(best["label"]), best["score"])"""

    def c_sample(self, values: SampleValues) -> CSample:
        """Classify a text without a second one; the three best classes."""
        call = "linnet_classify(task, &engine, text, (linnet_text){NULL, 0}, 1, &options, &answers)"
        setup = ("linnet_class_options options = linnet_default_class_options();", "options.top_k = 3;")
        return CSample(call, setup=setup)
