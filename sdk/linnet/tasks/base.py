"""Base class of the tasks: every question that the SDK asks of one, and how a call's options are read."""

from __future__ import annotations

import abc
import dataclasses
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import Manifest
from linnet.session import RunOptions, Session

if TYPE_CHECKING:
    from linnet.runtime import FloatArray

__all__ = ["NOT_GIVEN", "AnsweringModel", "NotGiven", "Task", "check_count", "read_options"]

OptionsT = TypeVar("OptionsT")


class NotGiven(enum.Enum):
    """Tells an option that was left out from one that is None."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


class AnsweringModel(Protocol):
    """The part of :class:`linnet.model.Model` that answers."""

    manifest: Manifest

    def __call__(self, inputs: object = None, /, **options: Any) -> Any:
        """Answer in the form of the pipeline."""

    @property
    def encode(self) -> Callable[..., FloatArray]:
        """Returns sentence embeddings."""

    @property
    def rank(self) -> Callable[..., list[dict[str, Any]]]:
        """Orders passages by their score."""


class Task(abc.ABC):
    """One task.

    Attributes:
        name: Hugging Face task name.
        abilities: what a model of this task can do, for error messages.
        strategy: how a pair over the bound is cut.
        reads_questions: an input is a question with its context.
        ranks_passages: an input is always a pair, and one text may have several seconds, to be ordered.
    """

    name: ClassVar[str]
    abilities: ClassVar[str]
    strategy: ClassVar[str] = "longest_first"
    reads_questions: ClassVar[bool] = False
    ranks_passages: ClassVar[bool] = False

    @abc.abstractmethod
    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Answer the inputs of one call; ``given`` holds its keyword arguments."""

    def run_options(self, manifest: Manifest) -> frozenset[str]:
        """Return the options of ``linnet run`` that a file of this task takes, beside those of all tasks."""
        return frozenset()

    def answer_row(self, model: AnsweringModel, row: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Answer one input of ``linnet run``.

        Args:
            model: of this task.
            row: ``text`` and perhaps ``pair`` or ``passages``; or ``question`` and ``context``.
            options: those of :meth:`run_options` that were given, and ``truncation``.
        """
        return model((row["text"], row["pair"]) if "pair" in row else row["text"], **options)

    def counted_positions(self, manifest: Manifest, ids: Sequence[int]) -> list[int] | None:
        """Return the tokens whose rows of the outputs count in a golden case; None: the outputs as they are."""
        return None


def read_options(kind: type[OptionsT], given: Mapping[str, object]) -> tuple[OptionsT, RunOptions]:
    """Split a call's keyword arguments into the task's options and those of the run.

    Raises:
        InvalidArgumentError: a keyword is neither, or a value is impossible.
    """
    own = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    common = [field.name for field in dataclasses.fields(RunOptions)]
    unknown = sorted(given.keys() - {*own, *common})
    if unknown:
        known = ", ".join([*own, *common])
        raise InvalidArgumentError(f"unknown option {', '.join(unknown)}; known are {known}")
    run: Mapping[str, Any] = {name: given[name] for name in common if name in given}
    return kind(**{name: given[name] for name in own if name in given}), RunOptions(**run)


def check_count(name: str, value: object) -> None:
    """Refuse anything but an int of at least 1.

    Raises:
        InvalidArgumentError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgumentError(f"{name} is {value!r}, needed an int of at least 1")
