"""Metadata of settings fields: command-line options, bounds, and construction from plain values.

A setting is declared once, by :func:`setting` in its dataclass. :mod:`linnet_train.options` makes the options of the
command line from it; :func:`build` fills the same dataclass from a TOML table or from the options that were given.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from linnet.errors import InvalidArgumentError
from linnet.suggestions import did_you_mean

__all__ = [
    "ABOVE_ZERO",
    "BELOW_ONE",
    "Bounds",
    "Setting",
    "at_least",
    "build",
    "changed",
    "kinds_of",
    "nested_in",
    "setting",
    "setting_of",
    "value_problems",
]

_KEY = "setting"
_Built = TypeVar("_Built")


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Values that a setting may take.

    Attributes:
        expected: the values in words, for the error.
        hold: whether a value is within the bounds; it is never called with None.
    """

    expected: str
    hold: Callable[[Any], bool]


def at_least(least: float) -> Bounds:
    """Return the bounds of a number of ``least`` or more."""
    return Bounds(f"at least {least}", lambda value: value >= least)


ABOVE_ZERO = Bounds("a number above 0", lambda value: value > 0)
BELOW_ONE = Bounds("0 or more and less than 1", lambda value: 0 <= value < 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """Metadata of a settings field: its option, its bounds and what it depends on.

    Attributes:
        help: one line of `--help`, in which `{default}` stands for the default; empty: it has no option.
        flags: option strings; empty: made of the field's name. A name without dashes is a positional argument.
        dest: name in the parsed arguments; empty: made of the last of the flags.
        metavar: what stands for the value in the help.
        group: heading in the help; empty: that of the object around it.
        choices: values that it may have; empty: any.
        bounds: the same for numbers.
        when_given: what an option without a value sets; None: it takes a value, or is a bool.
        needs: flags of which one has to be given too, or the option does nothing.
        replaces: flags of options that do nothing beside it.
        goes_with_stages: it is given beside a stages file, and is not a setting of each stage.
        of_some_tasks: only some tasks have it; see :attr:`linnet_train.tasks.base.TrainingTask.options`.
        decides_result: a training that goes on must have been begun with the same value.
    """

    help: str = ""
    flags: tuple[str, ...] = ()
    dest: str = ""
    metavar: str | None = None
    group: str = ""
    choices: tuple[str, ...] = ()
    bounds: Bounds | None = None
    when_given: Any = None
    needs: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    goes_with_stages: bool = False
    of_some_tasks: bool = False
    decides_result: bool = True


def setting(
    help: str = "",
    *flags: str,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    **described: Any,
) -> Any:
    """Declare a field of settings; ``described`` are the other attributes of :class:`Setting`."""
    metadata = {_KEY: Setting(help=help, flags=flags, **described)}
    if default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def setting_of(field: dataclasses.Field[Any]) -> Setting:
    """Return what :func:`setting` declared."""
    return typing.cast("Setting", field.metadata.get(_KEY, Setting()))


def default_of(field: dataclasses.Field[Any]) -> Any:
    """Return the default of a field; `dataclasses.MISSING` if it has to be given."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def kinds_of(hint: Any) -> tuple[Any, ...]:
    """Return the types of a hint, without None."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return tuple(kind for kind in kinds if kind is not type(None))


def nested_in(hint: Any) -> type[Any] | None:
    """Return the settings class among the types of a hint."""
    return next((kind for kind in kinds_of(hint) if isinstance(kind, type) and dataclasses.is_dataclass(kind)), None)


def value_problems(settings: Any) -> list[str]:
    """Return a sentence for each value outside the choices or the bounds of its field."""
    problems = []
    for field in dataclasses.fields(settings):
        value, described = getattr(settings, field.name), setting_of(field)
        if value is None:
            continue
        if described.choices and value not in described.choices:
            hint = did_you_mean(str(value), described.choices)
            problems.append(f"{field.name} is {value!r}, known are {', '.join(described.choices)}{hint}")
        if described.bounds is not None and not described.bounds.hold(value):
            problems.append(f"{field.name} is {value}, expected {described.bounds.expected}")
    return problems


def changed(settings: Any, wanted: Callable[[dataclasses.Field[Any]], bool]) -> list[str]:
    """Return the names of the wanted fields whose value differs from the default, nested settings included."""
    names = []
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if wanted(field):
            names += [field.name] if value != default_of(field) else []
        elif dataclasses.is_dataclass(value):
            names += changed(value, wanted)
    return names


def build(kind: type[_Built], values: Mapping[str, Any], where: str) -> _Built:
    """Build a settings dataclass from plain values; a nested table becomes the dataclass of its field.

    Raises:
        InvalidArgumentError: a key is unknown, or one is missing.
    """
    hints = typing.get_type_hints(kind)
    fields = [field.name for field in dataclasses.fields(typing.cast("Any", kind))]
    unknown = sorted(values.keys() - set(fields))
    if unknown:
        raise InvalidArgumentError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(fields)}")
    try:
        return kind(**{name: _value(hints[name], value, f"{where}, {name}") for name, value in values.items()})
    except TypeError as error:
        raise InvalidArgumentError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    nested = nested_in(hint)
    if isinstance(value, Mapping) and nested is not None:
        return build(nested, value, where)
    if isinstance(value, list):
        return tuple(tuple(part) if isinstance(part, list) else part for part in value)
    if isinstance(value, str) and Path in kinds_of(hint):
        return Path(value)
    return value
