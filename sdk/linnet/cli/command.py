"""Definition of a subcommand of ``linnet``, and the option that several of them have."""

from __future__ import annotations

import argparse
import dataclasses
import importlib

__all__ = ["GROUPS", "Command", "add_threads", "thread_count"]

GROUPS = ("use a file", "make a file", "measure", "put into an app", "run for others")
"""Groups of commands in ``linnet --help``, in their order."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """A subcommand, which an entry point names. Its module is imported when it is called, not when it is listed.

    Attributes:
        help: short description that begins with a verb.
        group: one of :data:`GROUPS`.
        module: module with ``add_arguments(parser)``, which may set ``parser.epilog`` (notes, then a line
            ``examples:`` and one example per line), and ``run(args) -> int``, which executes the command and returns
            the exit status.
        rare: ``linnet --help`` shows only the name; ``linnet --help-all`` the help too.
        common: options that ``--help`` shows; ``--help-all`` shows all. Empty: ``--help`` shows all options.
        extra: extra of the distribution with the packages that the module imports ("export"); empty: none.
    """

    help: str
    group: str
    module: str
    rare: bool = False
    common: tuple[str, ...] = ()
    extra: str = ""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the command to a parser."""
        importlib.import_module(self.module).add_arguments(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Run the command and return the exit status."""
        status: int = importlib.import_module(self.module).run(args)
        return status


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add ``--threads`` of a command that runs a file."""
    help = "threads of one inference (default: one for each CPU, at most 4)"
    parser.add_argument("--threads", type=thread_count, default=0, metavar="N", help=help)


def thread_count(text: str) -> int:
    """Read a number of threads."""
    from linnet.loading import MOST_THREADS  # the commands that run a file have imported it

    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MOST_THREADS:
        raise argparse.ArgumentTypeError(f"expected a number of threads from 1 to {MOST_THREADS}, got {text!r}")
    return int(text)
