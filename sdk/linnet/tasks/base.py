"""Base class of tasks, and parsing of the options of a call."""

from __future__ import annotations

import abc
import dataclasses
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import Manifest
from linnet.session import RunOptions, Session
from linnet.suggestions import refuse_unknown

if TYPE_CHECKING:
    from linnet.runtime import FloatArray

__all__ = ["NOT_GIVEN", "AnsweringModel", "NotGiven", "Task", "check_count", "read_options"]

_MOST_COUNT = 2**31 - 1

OptionsT = TypeVar("OptionsT")


class NotGiven(enum.Enum):
    """Marker type of an option that was left out, as opposed to None."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


class AnsweringModel(Protocol):
    """The inference methods of :class:`linnet.model.Model`."""

    manifest: Manifest

    def __call__(self, inputs: object = None, /, **options: Any) -> Any:
        """Run inference and return what the Hugging Face pipeline of the task returns."""

    @property
    def encode(self) -> Callable[..., FloatArray]:
        """Function that returns sentence embeddings."""

    @property
    def rank(self) -> Callable[..., list[dict[str, Any]]]:
        """Function that ranks passages by their score."""


class Task(abc.ABC):
    """One task: turns the outputs of a program into answers.

    Attributes:
        name: Hugging Face task name.
        abilities: calls that a model of this task supports, for error messages.
        options: options of ``linnet run`` for a file of this task, besides those of all tasks.
        strategy: truncation strategy of a pair over the maximum length, as Hugging Face tokenizers name it.
        reads_questions: each input is a question with its context.
        ranks_passages: each input is a pair; one query may have several passages, which are ranked.
    """

    name: ClassVar[str]
    abilities: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()
    strategy: ClassVar[str] = "longest_first"
    reads_questions: ClassVar[bool] = False
    ranks_passages: ClassVar[bool] = False

    @abc.abstractmethod
    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Run inference on the inputs of one call; ``given`` are its keyword arguments."""

    def run_options(self, manifest: Manifest) -> frozenset[str]:
        """Return the options of ``linnet run`` that a file of this task accepts, besides those of all tasks."""
        return self.options

    def answer_row(self, model: AnsweringModel, row: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Run inference on one input of ``linnet run``.

        Args:
            model: a model of this task.
            row: ``text`` with an optional ``pair`` or ``passages``; or ``question`` and ``context``.
            options: the given options of :meth:`run_options`, and ``truncation``.
        """
        return model((row["text"], row["pair"]) if "pair" in row else row["text"], **options)

    def counted_positions(self, manifest: Manifest, ids: Sequence[int]) -> list[int] | None:
        """Return the tokens whose output rows a golden case records; None: it records whole outputs."""
        return None


def read_options(kind: type[OptionsT], given: Mapping[str, object]) -> tuple[OptionsT, RunOptions]:
    """Split the keyword arguments of a call into task options and run options.

    Args:
        kind: dataclass of the task's options.
        given: keyword arguments of the call.

    Raises:
        InvalidArgumentError: a keyword is unknown, or a value is invalid.
    """
    own = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    common = [field.name for field in dataclasses.fields(RunOptions)]
    refuse_unknown(given, [*own, *common])
    run: Mapping[str, Any] = {name: given[name] for name in common if name in given}
    return kind(**{name: given[name] for name in own if name in given}), RunOptions(**run)


def check_count(name: str, value: object) -> None:
    """Check that an option is an int of at least 1, which the runtime can take.

    Raises:
        InvalidArgumentError: the value is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgumentError(f"{name} is {value!r}, expected an int of at least 1")
    if value > _MOST_COUNT:
        raise InvalidArgumentError(f"{name} is {value}, expected at most {_MOST_COUNT}")
