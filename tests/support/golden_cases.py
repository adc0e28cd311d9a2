"""Golden cases of models, recorded as the exporter's proof does."""

from __future__ import annotations

from linnet.format.evidence import GoldenCase
from linnet.format.golden import make_case
from linnet.golden_replay import answer_outputs
from linnet.model import Model
from linnet.tasks.feature_extraction import choose_prompt

__all__ = ["record_case"]


def record_case(model: Model, text: str, pair: str | None = None) -> GoldenCase:
    """Run one text and return its golden case; the file's default prompt is put before the text.

    Raises:
        RunFailedError: an output has NaN or infinity.
    """
    prompt = choose_prompt(model.manifest, None, None)
    encoding, outputs = answer_outputs(model, prompt + text, pair, model.prompt_tokens(prompt))
    return make_case(prompt + text, pair, encoding, outputs, model.prompt_tokens(prompt))
