"""What the benchmark asks of a task, the same for all of them unless a task says otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from linnet.model import Model

if TYPE_CHECKING:  # measured processes import tasks, and read no rows
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["PASSAGE", "QUESTION", "SHORT_TEXT", "Example", "Task"]

SHORT_TEXT = "The small bird sings before the rain comes."
QUESTION, PASSAGE = "What sings?", "The small bird sings."


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


class Task:
    """One task.

    Attributes:
        name: Hugging Face task name.
        metrics: names of what can be measured on labelled rows; some only with labels of one kind.
        every_token: the head runs on each token, not on one row.
        plain_texts: any sentence can be asked, without a pair or a mask.
        compared_by_cosine: answers of two files agree by the cosine of their vectors, not by the best class.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    every_token: ClassVar[bool] = False
    plain_texts: ClassVar[bool] = False
    compared_by_cosine: ClassVar[bool] = False

    def example(self, model: Model, text: str | None) -> Example:
        """Return a call that suits the task: of ``text``, or of a short text of our own."""
        given = SHORT_TEXT if text is None else text
        return Example(method="__call__", text=given, pair=None, arguments=(given,))

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Run labelled rows and return the metrics by name.

        Raises:
            InvalidArgumentError: rows do not fit the task.
        """
        raise NotImplementedError
