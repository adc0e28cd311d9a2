"""token-classification: a label for every token, as entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks.base import CSample, Outputs, SampleValues, Task

if TYPE_CHECKING:
    from torch import nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["TokenClassification"]


class TokenClassification(Task):
    """Logits [batch, length, labels]."""

    name = "token-classification"
    aliases = ("ner",)
    auto_class = "AutoModelForTokenClassification"
    architecture_suffixes = ("ForTokenClassification",)
    has_labels = True

    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Return a classifier of every token."""
        from linnet_export.graph.heads.token import token_head

        return token_head(model, architecture)

    def answers(self, outputs: Outputs, answerable: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return the label of each token of the text; special tokens have no answer."""
        return np.asarray(outputs["logits"].argmax(axis=-1)[answerable])

    def kotlin_sample(self, values: SampleValues) -> str:
        """Return one entity a line."""
        return f'model.entities({values.text}).joinToString("\\n")'

    def swift_sample(self, values: SampleValues) -> str:
        """Return the entities."""
        return f"model.entities({values.text})"

    def python_sample(self, values: SampleValues) -> str:
        """Print one entity a line."""
        return f"""\
for entity in model({values.text}, aggregation_strategy="simple"):
        print(entity)"""

    def c_sample(self, values: SampleValues) -> CSample:
        """Find the entities of a text."""
        return CSample("linnet_find_entities(task, &engine, text, 1, NULL, &answers)")
