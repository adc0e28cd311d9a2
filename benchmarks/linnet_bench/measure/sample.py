"""Sample inputs: ordinary English text, and a short call for each task."""

from __future__ import annotations

from linnet.model import Model
from linnet_bench.tasks import get_task
from linnet_bench.tasks.base import SHORT_TEXT, Example

__all__ = ["SHORT_TEXT", "Example", "example_for", "long_text"]

_PARAGRAPH = (
    "On the first morning of spring the harbour was quiet, and only two fishing boats had gone out. "
    "Maria Jensen, who runs the little repair shop behind the station, opened her door at seven, put the "
    "kettle on and read the list of orders: three radios, a lamp with a broken switch, and a weather "
    "station that kept reporting 41 degrees in the shade. She likes such riddles. Most of them end with a "
    "loose wire, some with a lesson, and once, in 2019, one ended with a swarm of bees in a loudspeaker. "
    "By noon the lamp was shining, the radios were arguing about football, and the weather station had "
    "admitted that its sensor was sitting on top of a heating pipe. "
)


def long_text(tokens: int) -> str:
    """Return a text of at least ``tokens`` tokens for any tokenizer: each word is at least one token."""
    return _PARAGRAPH * (tokens // len(_PARAGRAPH.split()) + 1)


def example_for(model: Model, text: str | None = None) -> Example:
    """Return a call that suits the file's task, with ``text`` or a built-in short text."""
    return get_task(model.manifest.task).example(model, text)
