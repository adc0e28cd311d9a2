"""The one form of a subcommand of ``linnet``."""

from __future__ import annotations

import argparse
import dataclasses
import importlib

__all__ = ["GROUPS", "Command"]

GROUPS = ("use a file", "make a file", "measure", "put into an app")
"""Headings of ``linnet --help``, in their order."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """A subcommand, named by an entry point. Its module is imported when it is called, not when it is listed.

    Attributes:
        help: what it does, in a few words that begin with a verb.
        group: one of :data:`GROUPS`.
        module: has ``add_arguments(parser)``, which may set ``parser.epilog`` (notes, then a line ``examples:`` and one
            example a line), and ``run(args) -> int``, which does the work and returns the exit status.
        common: options that ``--help`` shows; the others are left to ``--help-all``. Empty: it shows all of them.
        extra: extra of the distribution that holds what the module imports ("export"); empty: none.
    """

    help: str
    group: str
    module: str
    common: tuple[str, ...] = ()
    extra: str = ""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments on a parser."""
        importlib.import_module(self.module).add_arguments(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit status."""
        status: int = importlib.import_module(self.module).run(args)
        return status
