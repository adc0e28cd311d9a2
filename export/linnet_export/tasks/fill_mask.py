"""fill-mask: the tokens that fit in the place of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks.base import CSample, SampleValues, Task

if TYPE_CHECKING:
    from torch import nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["FillMask"]


class FillMask(Task):
    """Logits [batch, length, vocabulary]."""

    name = "fill-mask"
    auto_class = "AutoModelForMaskedLM"
    architecture_suffixes = ("ForMaskedLM", "ForPreTraining")
    fills_masks = True

    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Return the decoder over the vocabulary."""
        from linnet_export.graph.heads.vocabulary import vocabulary_head

        return vocabulary_head(model, architecture)

    def sample_text(self, mask: str) -> str:
        """Return a text with a mask."""
        return f"The bakery {mask} at six."

    def kotlin_sample(self, values: SampleValues) -> str:
        """Return one proposal a line."""
        return f'model.fillMask({values.text}).first().joinToString("\\n") {{ it.sequence }}'

    def swift_sample(self, values: SampleValues) -> str:
        """Return the proposals."""
        return f"model.fillMask({values.text})[0].map(\\.sequence)"

    def python_sample(self, values: SampleValues) -> str:
        """Print one proposal a line."""
        return f"""\
for proposal in model({values.text}):
        print(proposal)"""

    def c_sample(self, values: SampleValues) -> CSample:
        """Fill the mask of a text."""
        return CSample("linnet_fill_mask(task, &engine, text, 1, NULL, &answers)")
