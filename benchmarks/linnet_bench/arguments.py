"""Argument types of the measuring commands: lists of numbers, CPU sets, and the command line for records."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from linnet.cli.command import thread_count
from linnet.cli.output import write_text
from linnet.errors import InvalidArgumentError

__all__ = [
    "CUT",
    "add_output_arguments",
    "command_line",
    "cpu_set",
    "joined",
    "numbers",
    "refuse_surplus",
    "say_cut",
    "spans",
    "thread_counts",
    "write_output",
]

CUT = "cut to the file's bound"
"""Words for the help of ``--lengths``."""

_MOST_CPUS = 1024  # number of bits of glibc's cpu_set_t


def add_output_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the arguments of a command that can write its result as JSON.

    Args:
        parser: its last positional argument has to be added before.
        name: what the JSON is, as in "the record".
    """
    add = parser.add_argument
    add("-o", "--output", type=Path, metavar="OUT", help=f"write {name} to this file (.json)")
    add("--json", action="store_true", help=f"print {name} as one JSON object")
    add("--force", action="store_true", help="replace output files that exist")
    add("surplus", nargs="*", default=[], help=argparse.SUPPRESS)


def refuse_surplus(args: argparse.Namespace) -> None:
    """Check that a command for one FILE got one.

    Raises:
        InvalidArgumentError: there are more; also for ``--json OUT``, which earlier versions took.
    """
    if args.surplus:
        hint = "; --json takes no file: write it with -o OUT" if args.json else ""
        raise InvalidArgumentError(f"expected one FILE, got more: {', '.join(args.surplus)}{hint}")


def write_output(to_json: Callable[[], str], args: argparse.Namespace) -> None:
    """Write a result as JSON, to standard output with ``--json``, and to the file of ``--output`` if there is one.

    It is made only then, as a record can have a million samples.

    Raises:
        InvalidArgumentError: the file exists and there is no ``--force``.
    """
    if not args.json and args.output is None:
        return
    text = to_json()
    if args.json:
        print(text, end="")
    if args.output is not None:
        write_text(text, args.output, force=args.force)


def numbers(text: str) -> tuple[int, ...]:
    """Parse "8,16,32" into numbers, each once, in the given order."""
    try:
        values = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        values = ()
    if not values or min(values) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected whole numbers of at least 1, as in 8,16,32")
    return values


def thread_counts(text: str) -> tuple[int, ...]:
    """Parse "1,2,4" into numbers of threads that a file can be loaded with."""
    return tuple(map(thread_count, joined(numbers(text)).split(",")))


def joined(values: Sequence[int]) -> str:
    """Write numbers as :func:`numbers` reads them: "8,16,32"."""
    return ",".join(map(str, values))


def say_cut(asked: Sequence[int] | None, longest: int) -> None:
    """Warn on stderr about requested lengths that exceed the file's limit.

    Args:
        asked: requested lengths in tokens; None if the user gave none: the defaults suit every file.
        longest: maximum number of tokens of the file.
    """
    over = [tokens for tokens in asked or () if tokens > longest]
    if over:
        print(
            f"linnet: warning: --lengths has {joined(over)}, over the file's bound of {longest} tokens; "
            f"{longest} is taken instead",
            file=sys.stderr,
        )


def cpu_set(text: str) -> tuple[int, ...]:
    """Parse "0,4-7" into CPU numbers in rising order, each once."""
    cpus: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        ends = [int(end) for end in (first, last if dash else first) if end.isdecimal()]
        if len(ends) < 2 or ends[0] > ends[1] or ends[1] >= _MOST_CPUS:
            raise argparse.ArgumentTypeError(f"found {text!r}, expected CPU numbers below {_MOST_CPUS}, as in 0,4-7")
        cpus |= set(range(ends[0], ends[1] + 1))
    return tuple(sorted(cpus))


def spans(values: Sequence[int]) -> str:
    """Write CPU numbers as :func:`cpu_set` reads them: "0,4-7"."""
    parts: list[list[int]] = []
    for value in sorted(values):
        if parts and value == parts[-1][1] + 1:
            parts[-1][1] = value
        else:
            parts.append([value, value])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def command_line(arguments: Sequence[str] | None = None) -> str:
    """Return the command line as typed, each path without its folders, because records are shared.

    Args:
        arguments: arguments of the process; None: ``sys.argv[1:]``.
    """
    given = sys.argv[1:] if arguments is None else arguments
    return shlex.join(["linnet", *(Path(argument).name if os.sep in argument else argument for argument in given)])
