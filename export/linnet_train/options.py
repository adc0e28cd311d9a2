"""Command-line options generated from settings fields, with checks of options that have no effect."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet_train.fields import Setting, default_of, kinds_of, nested_in, setting_of

__all__ = ["STAGES_FILE", "Options"]

STAGES_FILE = "a STAGES.toml"
"""Stands among the flags of :attr:`Setting.needs` for a model that is a file of stages."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        kind: settings class that it belongs to.
        path: fields that lead from there to its value.
        setting: what the field says, with the group and the needs of the objects around it.
        hint: type of the field.
        default: of the field; `dataclasses.MISSING` without one.
        required: whether the command needs it.
    """

    kind: type[Any]
    path: tuple[str, ...]
    setting: Setting
    hint: Any
    default: Any
    required: bool

    @property
    def flags(self) -> tuple[str, ...]:
        """Option strings, or the name of a positional argument."""
        return self.setting.flags or (f"--{self.path[-1].replace('_', '-')}",)

    @property
    def name(self) -> str:
        """The option as messages name it."""
        return self.flags[-1]

    @property
    def dest(self) -> str:
        """Its name in the parsed arguments."""
        return self.setting.dest or self.name.lstrip("-").replace("-", "_")

    @property
    def takes_value(self) -> bool:
        """Whether a value follows it."""
        return self.setting.when_given is None and bool not in kinds_of(self.hint)

    def declare(self, container: Any) -> None:
        """Add it to a parser or to a group of one."""
        settings: dict[str, Any] = {"help": self.setting.help.format(default=_plain(self.default))}
        if self.flags[0].startswith("-"):
            settings |= {"dest": self.dest, "required": self.required}
        if not self.takes_value:
            settings["action"] = "store_true"
        elif self.setting.choices:
            settings |= {"choices": self.setting.choices, "metavar": self.setting.metavar or None}
        else:
            settings |= {"type": _reader(self.hint), "metavar": self.setting.metavar}
        # left out of what is parsed, a default cannot be mistaken for the same value given
        container.add_argument(*self.flags, default=argparse.SUPPRESS, **settings)


def _options(kind: type[Any], *, optional: bool) -> Iterator[Option]:
    """Return the options of a settings class; where it is ``optional``, all others need the one without a default."""
    return _walk(kind, kind, (), Setting(), optional=optional)


def _walk(
    root: type[Any], kind: type[Any], path: tuple[str, ...], around: Setting, *, optional: bool
) -> Iterator[Option]:
    hints = typing.get_type_hints(kind)
    needs = around.needs
    for field in dataclasses.fields(kind):
        setting = setting_of(field)
        setting = dataclasses.replace(
            setting,
            group=setting.group or around.group,
            needs=setting.needs or needs,
            goes_with_stages=setting.goes_with_stages or around.goes_with_stages,
        )
        hint, place = hints[field.name], (*path, field.name)
        nested = nested_in(hint)
        if nested is not None:
            yield from _walk(root, nested, place, setting, optional=optional or type(None) in typing.get_args(hint))
        elif setting.help:
            default = default_of(field)
            missing = default is dataclasses.MISSING
            option = Option(
                kind=root, path=place, setting=setting, hint=hint, default=default, required=missing and not optional
            )
            yield option
            if missing and optional:
                needs = (option.name,)


class Options:
    """Options of a parser, with the knowledge of which were given (argparse itself does not keep it).

    Args:
        parser: gets the options.
        kinds: settings classes that have them.
        optional: of these, the classes of which nothing need be given.
    """

    def __init__(
        self, parser: argparse.ArgumentParser, *kinds: type[Any], optional: tuple[type[Any], ...] = ()
    ) -> None:
        options = [option for kind in kinds for option in _options(kind, optional=kind in optional)]
        groups = dict.fromkeys(["", *(option.setting.group for option in options)])
        self._options = {option.dest: option for group in groups for option in options if option.setting.group == group}
        for group in groups:
            container = parser.add_argument_group(group) if group else parser
            for option in self._options.values():
                if option.setting.group == group:
                    option.declare(container)
        parser.set_defaults(options=self)

    def complete(self, args: argparse.Namespace) -> argparse.Namespace:
        """Return the parsed arguments with defaults; `given` names the options of the command line.

        Raises:
            InvalidArgumentError: options were given that have no effect; the message lists them.
        """
        given = frozenset(vars(args).keys() & self._options.keys())
        problems = self._without_effect(given, with_stages=str(getattr(args, "model", "")).endswith(".toml"))
        if problems:
            raise InvalidArgumentError(f"{'; '.join(problems)}; leave out what has none")
        defaults = {dest: _unset(option) for dest, option in self._options.items()}
        return argparse.Namespace(**{**defaults, **vars(args)}, given=given)

    def values(self, kind: type[Any], args: argparse.Namespace) -> dict[str, Any]:
        """Return the given options of a settings class, as nested tables for :func:`linnet_train.fields.build`.

        Args:
            kind: one of those that the options were made from.
            args: of :meth:`complete`.
        """
        given: dict[str, Any] = {}
        for dest, option in self._options.items():
            if option.kind is not kind or dest not in args.given:
                continue
            table = given
            for name in option.path[:-1]:
                table = table.setdefault(name, {})
            when_given = option.setting.when_given
            table[option.path[-1]] = getattr(args, dest) if when_given is None else when_given
        return given

    def _without_effect(self, given: frozenset[str], *, with_stages: bool) -> list[str]:
        options = [option for dest, option in self._options.items() if dest in given]
        idle = [option for option in options if with_stages and not option.setting.goes_with_stages]
        problems = (
            [f"{_listed(idle)} no effect with {STAGES_FILE}, whose stages have their own settings"] if idle else []
        )
        options = [option for option in options if option not in idle]
        for option in options:
            replaced = [other for other in options if other.name in option.setting.replaces]
            if replaced:
                problems.append(f"{_listed(replaced)} no effect with {option.name}, which decides that")
        there = {option.name for option in self._options.values() if option.dest in given}
        there |= {STAGES_FILE} if with_stages else set()
        for needs in dict.fromkeys(option.setting.needs for option in options):
            useless = [option for option in options if option.setting.needs == needs]
            if needs and not there & set(needs):
                problems.append(f"{_listed(useless)} no effect without {' or '.join(needs)}")
        return problems


def _listed(options: list[Option]) -> str:
    names = [option.name for option in options]
    return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'}"


def _unset(option: Option) -> Any:
    if not option.takes_value:
        return False
    return None if option.default is dataclasses.MISSING else option.default


def _plain(value: Any) -> str:
    """Return a default as the help shows it: 5e-5, 2e-5,5e-4, 16."""
    if isinstance(value, tuple):
        return ",".join(map(_plain, value))
    if not isinstance(value, float):
        return str(value)
    if not 0 < value < 1e-3:
        return f"{value:g}"
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def _reader(hint: Any) -> Callable[[str], Any]:
    """Return the function that parses a command-line value of this type."""
    kind = kinds_of(hint)[0]
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and parts[-1] is not Ellipsis:
        return _span(parts[0])
    if origin is tuple:
        return _numbers if parts[0] is int else _words
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _pairs
    return kind if kind in (int, float, Path) else str


def _span(kind: type[Any]) -> Callable[[str], tuple[Any, Any]]:
    def read(text: str) -> tuple[Any, Any]:
        try:
            low, high = (kind(number) for number in text.split(","))
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"found {text!r}, expected two numbers, FROM,TO") from error
        return low, high

    return read


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected numbers like 0,2,5") from error


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _pairs(text: str) -> dict[str, str]:
    pairs = [pair.split("=", 1) for pair in text.split(",") if pair]
    if any(len(pair) != 2 for pair in pairs):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected NAME=VALUE,NAME=VALUE")
    return {name.strip(): value.strip() for name, value in pairs}
