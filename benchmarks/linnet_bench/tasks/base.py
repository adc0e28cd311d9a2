"""Interface of a task in the benchmark, with defaults for all tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from linnet.model import Model

if TYPE_CHECKING:  # not at run time: measured processes import tasks, but read no rows
    from linnet_bench.accuracy.rows import LabelledRows

__all__ = ["PASSAGE", "QUESTION", "SHORT_TEXT", "Example", "Task"]

SHORT_TEXT = "The small bird sings before the rain comes."
QUESTION, PASSAGE = "What sings?", "The small bird sings."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    """One call of a model.

    Attributes:
        method: method of :class:`linnet.Model`; ``__call__`` for the model itself.
        text, pair: the texts that the model will tokenize.
        arguments, options: positional and keyword arguments of the call.
    """

    method: str
    text: str
    pair: str | None
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def run(self, model: Any) -> Any:
        """Call ``model``, a :class:`linnet.Model`, and return its answer."""
        return getattr(model, self.method)(*self.arguments, **self.options)

    def source(self) -> str:
        """Return the call as Python text, on a variable ``model``."""
        given = [repr(argument) for argument in self.arguments] + [f"{k}={v!r}" for k, v in self.options.items()]
        return f"model.{self.method}({', '.join(given)})"


class Task:
    """One task.

    Attributes:
        name: Hugging Face task name.
        metrics: names of the metrics on labelled rows; some need labels of one kind. Empty: rows are refused.
        every_token: the head runs on each token, not on one row.
        plain_texts: any sentence is a valid input, without a pair or a mask.
        compared_by_cosine: agreement of two files is the cosine of their vectors, not equality of the best class.
        compared_by_best: outputs are so large that only the best class of each row is kept.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    every_token: ClassVar[bool] = False
    plain_texts: ClassVar[bool] = False
    compared_by_cosine: ClassVar[bool] = False
    compared_by_best: ClassVar[bool] = False

    def example(self, model: Model, text: str | None) -> Example:
        """Return a call that suits the task, with ``text`` or a built-in short text."""
        given = SHORT_TEXT if text is None else text
        return Example(method="__call__", text=given, pair=None, arguments=(given,))

    def measure(self, rows: LabelledRows) -> dict[str, float]:
        """Run labelled rows and return the metrics by name.

        Raises:
            InvalidArgumentError: rows do not fit the task.
        """
        raise NotImplementedError
