"""Task text-generation: a decoder that continues a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks.base import CSample, Outputs, SampleValues, Task

if TYPE_CHECKING:
    from torch import nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["TextGeneration"]


class TextGeneration(Task):
    """Logits of the next token [tokens, vocabulary]."""

    name = "text-generation"
    auto_class = "AutoModelForCausalLM"
    architecture_suffixes = ("ForCausalLM", "LMHeadModel")
    generates = True

    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Refuse: the head is a part of the decoder's body (:mod:`linnet_export.graph.decoders`)."""
        raise NotImplementedError

    def score_function(self, config: Any, settings: dict[str, Any]) -> str:
        """Return none: tokens are sampled from the logits."""
        return "none"

    def answers(self, outputs: Outputs, answerable: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return the likeliest next token behind each token."""
        return np.atleast_1d(outputs["logits"].argmax(axis=-1))

    def kotlin_sample(self, values: SampleValues) -> str:
        """Refuse: `linnet bundle` has no target for decoders but Python."""
        raise NotImplementedError

    def swift_sample(self, values: SampleValues) -> str:
        """Refuse: `linnet bundle` has no target for decoders but Python."""
        raise NotImplementedError

    def python_sample(self, values: SampleValues) -> str:
        """Print a continuation as it is made."""
        return f"""\
for piece in model.stream({values.text}, max_new_tokens=60):
        print(piece, end="", flush=True)"""

    def c_sample(self, values: SampleValues) -> CSample:
        """Refuse: `linnet bundle` has no target for decoders but Python."""
        raise NotImplementedError
