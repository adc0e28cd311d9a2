"""The subcommands of ``linnet``: a table of built-in ones, and those of other packages.

A command is an object (here: a module) with ``help``, ``add_arguments(parser)`` and ``run(args) -> int``.
Other packages give theirs through the entry-point group ``linnet.commands``. Modules are imported only
when their command is called.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from typing import Protocol, cast

from linnet.errors import ExtraMissingError

__all__ = ["GROUP", "Command", "UnknownCommandError", "find_command", "list_commands"]

GROUP = "linnet.commands"

_BUILT_IN: Mapping[str, tuple[str, str]] = {
    "run": ("linnet.cli.run", "answer texts with a file"),
    "inspect": ("linnet.cli.inspect", "show what a file says about itself"),
    "explain": (
        "linnet_export.explain.command",
        "write a page about a file: sizes, partitions, proof, errors, latency",
    ),
    "verify": ("linnet.cli.verify", "check a file's bytes and repeat its golden cases"),
    "sign": ("linnet.cli.sign", "sign a file with an Ed25519 key"),
    "eval": ("linnet_bench.accuracy.command", "measure a file's accuracy on your data"),
    "bench": ("linnet_bench.bench.command", "measure a file's speed on this machine, or on others"),
    "soak": ("linnet_bench.soak.command", "send very many requests, and see that memory, answers and latency hold"),
    "compare": ("linnet_bench.compare.command", "show files of one task side by side"),
    "regress": ("linnet_bench.regress.command", "find regressions between benchmark records"),
    "tune": ("linnet_bench.tune.command", "find the fastest threads, CPUs, attention and recipe for this machine"),
    "estimate": ("linnet_bench.estimate.command", "estimate a file's speed on a device that is not here"),
    "report": (
        "linnet_bench.report.command",
        "write a page about benchmark records: plots, tables, how to repeat them",
    ),
    "bundle": ("linnet_export.bundle.command", "write a file as a ready part of an Android, iOS, C or Python project"),
    "doctor": ("linnet.cli.doctor", "show what this build and this machine can do"),
}

_FROM_EXTRAS: Mapping[str, tuple[str, str]] = {
    "export": ("export", "from a checkpoint to a proven .pte file"),
    "train": ("train", "from labelled rows to a small trained checkpoint, or to a proven .pte file"),
    "init": ("train", "a new model with a vocabulary of its own and random weights, to be pre-trained"),
}
"""Commands whose packages come with an extra: its name, and their help."""


class Command(Protocol):
    """One subcommand."""

    @property
    def help(self) -> str:
        """What it does, in a few words."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments; may set ``parser.epilog``."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it and return the exit status."""


class UnknownCommandError(LookupError):
    """There is no subcommand of that name."""


def list_commands() -> list[tuple[str, str]]:
    """Return name and help of every command; packages' own commands are named but not imported."""
    known = {name: help_ for name, (_, help_) in {**_BUILT_IN, **_FROM_EXTRAS}.items()}
    known |= {name: "from another package" for name in _entry_points() if name not in known}
    return list(known.items())


def find_command(name: str) -> Command:
    """Return a command by name.

    Raises:
        UnknownCommandError: there is none.
        ExtraMissingError: its extra is not installed; the message has the pip line.
    """
    if name in _BUILT_IN:
        module = importlib.import_module(_BUILT_IN[name][0])
        return cast(Command, getattr(module, "command", module))
    found = _entry_points()
    if name in found:
        return _load(name, found[name])
    if name in _FROM_EXTRAS:
        raise _extra_missing(name)
    known = ", ".join(each for each, _ in list_commands())
    raise UnknownCommandError(f"there is no command {name!r}; known are {known}")


def _load(name: str, target: str) -> Command:
    module, _, attribute = target.partition(":")
    try:
        return cast(Command, getattr(importlib.import_module(module), attribute))
    except ImportError as error:
        if name in _FROM_EXTRAS:
            raise _extra_missing(name) from error
        raise


def _entry_points() -> dict[str, str]:
    from importlib import metadata  # slow to import, and needed for few commands

    return {each.name: each.value for each in metadata.entry_points(group=GROUP)}


def _extra_missing(name: str) -> ExtraMissingError:
    extra, _ = _FROM_EXTRAS[name]
    return ExtraMissingError(f'linnet {name} needs more than the base: pip install "linnet[{extra}]"')
