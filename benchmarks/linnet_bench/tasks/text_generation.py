"""Text generation: the first token behind a text. Labelled rows have no metric here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linnet.errors import InvalidArgumentError
from linnet.model import Model
from linnet_bench.tasks.base import SHORT_TEXT, Example, Task

if TYPE_CHECKING:
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["TASK"]


class TextGeneration(Task):
    """The task text-generation; see :class:`~linnet_bench.tasks.base.Task`."""

    name = "text-generation"
    metrics = ()
    every_token = True
    plain_texts = True
    compared_by_best = True

    def example(self, model: Model, text: str | None) -> Example:
        """Return a call that ends with the first token; see :class:`~linnet_bench.tasks.base.Task`."""
        given = SHORT_TEXT if text is None else text
        options = {"max_new_tokens": 1, "do_sample": False}
        return Example(method="generate", text=given, pair=None, arguments=(given,), options=options)

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Refuse rows.

        Raises:
            InvalidArgumentError: always.
        """
        raise InvalidArgumentError(
            "expected a file that answers labelled rows, got one of text-generation, which has no metric on them; its "
            "perplexity and agreement with the original are in the file: linnet inspect"
        )


TASK = TextGeneration()
