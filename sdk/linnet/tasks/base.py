"""What every task is, and how it reads its options."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol, TypeVar

from linnet.errors import InvalidArgumentError
from linnet.session import RunOptions, Session

__all__ = ["NOT_GIVEN", "NotGiven", "Task", "check_count", "read_options"]

OptionsT = TypeVar("OptionsT")


class NotGiven(enum.Enum):
    """Tells an option that was left out from one that is None."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


class Task(Protocol):
    """One task.

    Attributes:
        name: Hugging Face task name.
        abilities: what a model of this task can do, for error messages.
    """

    name: ClassVar[str]
    abilities: ClassVar[str]

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Answer the inputs of one call; ``given`` holds its keyword arguments."""


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
