"""What is measured: ordinary English of our own, and for each task a short call that answers it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from linnet.model import Model

__all__ = ["SHORT_TEXT", "Example", "example_for", "long_text"]

SHORT_TEXT = "The small bird sings before the rain comes."
_QUESTION, _PASSAGE = "What sings?", "The small bird sings."

_PARAGRAPH = (
    "On the first morning of spring the harbour was quiet, and only two fishing boats had gone out. "
    "Maria Jensen, who runs the little repair shop behind the station, opened her door at seven, put the "
    "kettle on and read the list of orders: three radios, a lamp with a broken switch, and a weather "
    "station that kept reporting 41 degrees in the shade. She likes such riddles. Most of them end with a "
    "loose wire, some with a lesson, and once, in 2019, one ended with a swarm of bees in a loudspeaker. "
    "By noon the lamp was shining, the radios were arguing about football, and the weather station had "
    "admitted that its sensor was sitting on top of a heating pipe. "
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    """One call of a model.

    Attributes:
        method: of :class:`linnet.Model`; ``__call__`` for the model itself.
        text, pair: what the model will tokenize.
        arguments, options: of the call.
    """

    method: str
    text: str
    pair: str | None
    arguments: tuple[Any, ...]
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def run(self, model: Any) -> Any:
        """Call ``model``, a :class:`linnet.Model`, and return its answer."""
        return getattr(model, self.method)(*self.arguments, **self.options)

    def source(self) -> str:
        """Return the call as Python text, on a variable ``model``."""
        given = [repr(each) for each in self.arguments] + [f"{k}={v!r}" for k, v in self.options.items()]
        return f"model.{self.method}({', '.join(given)})"


def long_text(tokens: int) -> str:
    """Return a text of at least ``tokens`` tokens, whatever the tokenizer: a word is at least one token."""
    return _PARAGRAPH * (tokens // len(_PARAGRAPH.split()) + 1)


def example_for(model: Model, text: str | None = None) -> Example:
    """Return a call that suits the file's task: of ``text``, or of a short text of our own."""
    manifest = model.manifest
    given = SHORT_TEXT if text is None else text
    passage = _PASSAGE if text is None else text
    if manifest.task == "feature-extraction":
        return Example(method="encode", text=given, pair=None, arguments=(given,))
    if manifest.task == "question-answering":
        options = {"question": _QUESTION, "context": passage}
        return Example(method="__call__", text=_QUESTION, pair=passage, arguments=(), options=options)
    if manifest.task == "text-ranking":
        pairs = [(_QUESTION, passage)]
        return Example(method="predict", text=_QUESTION, pair=passage, arguments=(pairs,))
    if manifest.task == "fill-mask":
        given = _masked(given, model.tokenizer.vocabulary.token(manifest.mask_id))
    return Example(method="__call__", text=given, pair=None, arguments=(given,))


def _masked(text: str, mask: str) -> str:
    """Put the mask token for the fourth word, or for the last of fewer."""
    words = text.split()
    words[min(3, len(words) - 1)] = mask
    return " ".join(words)
