"""Registry of the subcommands of ``linnet``, which are entry points of the group ``linnet.commands``.

The packages of linnet and other packages declare a command in the same way::

    [project.entry-points."linnet.commands"]
    mine = "my_package.commands:mine"       # a linnet.cli.command.Command
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import cast

from linnet.cli.command import Command
from linnet.errors import ExtraMissingError
from linnet.suggestions import did_you_mean
from linnet.version import install_line

__all__ = [
    "GROUP",
    "UnknownCommandError",
    "find_command",
    "foreign_commands",
    "list_commands",
    "missing_extra",
    "own_commands",
]

GROUP = "linnet.commands"


class UnknownCommandError(LookupError):
    """There is no subcommand of that name."""


@functools.cache  # the overview asks for every command, each of which would read the file again
def own_commands() -> dict[str, str]:
    """Return the commands of linnet's own distribution: name -> "module:attribute", in the order of pyproject.toml.

    This parses the installed entry_points.txt, since importing importlib.metadata takes as long as one inference.
    """
    for file in Path(__file__).parents[2].glob("linnet-*.dist-info/entry_points.txt"):
        return _read_group(file.read_text(encoding="utf-8"))
    from importlib import metadata  # for an editable installation, or another layout

    try:
        points = metadata.distribution("linnet").entry_points
    except metadata.PackageNotFoundError:
        return {}
    return {point.name: point.value for point in points if point.group == GROUP}


def foreign_commands() -> dict[str, str]:
    """Return the commands of other distributions: name -> "module:attribute"."""
    from importlib import metadata  # slow to import, and rarely needed

    own = own_commands()
    return {point.name: point.value for point in metadata.entry_points(group=GROUP) if point.name not in own}


def list_commands() -> list[tuple[str, str]]:
    """Return the name and the help of every command; commands of other packages are not imported."""
    own = [(name, find_command(name).help) for name in own_commands()]
    return own + [(name, "from another package") for name in foreign_commands()]


def find_command(name: str) -> Command:
    """Return a command by name.

    Raises:
        UnknownCommandError: there is no such command; the message suggests one with a similar name.
    """
    own = own_commands()
    if name in own:
        return _load(own[name])
    others = foreign_commands()
    if name in others:
        return _load(others[name])
    if not own:
        raise UnknownCommandError(
            "expected the installed metadata of linnet, which names its commands, got none; install linnet with pip"
        )
    known = [*own, *others]
    hint = did_you_mean(name, known)
    raise UnknownCommandError(f"there is no command {name!r}{hint}; known are {', '.join(known)}")


def _load(target: str) -> Command:
    module, _, attribute = target.partition(":")
    return cast(Command, getattr(importlib.import_module(module), attribute))


def missing_extra(name: str, extra: str) -> ExtraMissingError:
    """Return the error for a command whose extra is not installed."""
    return ExtraMissingError(f"linnet {name} needs more than the base: {install_line(extra)}")


def _read_group(text: str) -> dict[str, str]:
    """Parse the group of an entry_points.txt, with one "name = module:attribute" per line as in its specification."""
    targets: dict[str, str] = {}
    group = ""
    for line in text.splitlines():
        if line.startswith("["):
            group = line.strip("[] ")
        elif group == GROUP and "=" in line:
            name, _, target = line.partition("=")
            targets[name.strip()] = target.strip()
    return targets
