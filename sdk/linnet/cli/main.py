"""Entry point of the command ``linnet``: finds and runs the subcommand, and reports errors with an exit status."""

from __future__ import annotations

import argparse
import codecs
import io
import itertools
import os
import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

from linnet.cli.command import Command
from linnet.cli.exit_status import INTERRUPTED, OK, USAGE, error_message, exit_status
from linnet.cli.registry import UnknownCommandError, find_command, missing_extra
from linnet.errors import LinnetError
from linnet.printable import escaped_output
from linnet.suggestions import did_you_mean

__all__ = ["command_parser", "main"]

_EPILOG = """\
examples:
  linnet run intents.pte "turn the volume down"
  linnet inspect intents.pte
  linnet verify intents.pte

exit status: 0 done, 1 a check failed, 2 wrong usage, 3 the file was refused,
4 this build lacks something, 5 the run failed, 130 interrupted
"""


_NO_OPTION = "\0"  # put before words behind "--": no argument can hold it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``linnet`` with these arguments, by default those of the process, and return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in itertools.takewhile(lambda word: word != "--", given)
    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error("linnet.json", _json_escapes)
        sys.stdout.reconfigure(errors="linnet.json")  # a terminal without UTF-8 gets escapes, and JSON stays JSON
    with escaped_output():
        return _report_errors(given, debug)


def _json_escapes(error: UnicodeError) -> tuple[str, int]:
    """Return what an encoding lacks as JSON writes it: ``\\u00e9``, and two escapes for an emoji."""
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)), error.end


def _report_errors(given: list[str], debug: bool) -> int:
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = _run(given)
            sys.stdout.flush()
            return status
    except KeyboardInterrupt:
        print("linnet: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return _closed_pipe()
    except Exception as error:
        if debug:
            traceback.print_exc()
        elif not isinstance(error, LinnetError | OSError):
            print("linnet: this is a defect of linnet; --debug shows where", file=sys.stderr)
        print(f"linnet: error: {error_message(error)}", file=sys.stderr)
        return exit_status(error)


def _run(arguments: list[str]) -> int:
    name = next((argument for argument in arguments if not argument.startswith("-")), None)
    before = arguments[: arguments.index(name)] if name else arguments
    if name == "help":
        return _run([*before, *arguments[len(before) + 1 :], "--help"])
    if name is None or {"-h", "--help", "--help-all", "--version"} & set(before):
        return _top_level(arguments)
    try:
        command = find_command(name)
    except UnknownCommandError as error:
        print(f"linnet: error: {error}", file=sys.stderr)
        return USAGE
    try:
        return _call(name, command, before, arguments)
    except ImportError as error:
        if command.extra and not isinstance(error, LinnetError):  # a LinnetError has its own message
            raise missing_extra(name, command.extra) from error
        raise


def _call(name: str, command: Command, before: list[str], arguments: list[str]) -> int:
    parser = command_parser(name, command)
    rest = before + arguments[len(before) + 1 :]
    options = list(itertools.takewhile(lambda word: word != "--", rest))
    if command.common and {"-h", "--help"} & set(options):
        from linnet.cli.help import short_help

        print(short_help(parser, command), end="")
        return OK
    # intermixed, since parse_args ends a list of texts at the first option; it loses the "--" of its first pass
    return command.run(parser.parse_intermixed_args(options + [_NO_OPTION + word for word in rest[len(options) + 1 :]]))


def _top_level(arguments: Sequence[str]) -> int:
    from linnet.cli.help import overview  # slow to import: imports the definitions of all commands

    shown = overview(rare="--help-all" in arguments)
    parser = _Parser(
        prog="linnet",
        usage="linnet [--version] [--debug] COMMAND ...",
        description=f"Small language models on small devices.\n\ncommands, by what they are for:\n\n{shown}\n\n"
        "linnet COMMAND --help explains a command.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--help-all", action="help", help="show every command and exit")
    parser.add_argument("--version", action="store_true", help="show the version")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    args = parser.parse_args(arguments)
    if args.version:
        from linnet.version import version

        print(f"linnet {version()}")
        return OK
    parser.print_help(sys.stderr)
    return USAGE


class _Parser(argparse.ArgumentParser):
    """Parser whose errors are one line, which names the option or the choice that was probably meant."""

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:  # private: what argparse converts with
        return super()._get_value(action, arg_string.removeprefix(_NO_OPTION))

    def error(self, message: str) -> NoReturn:
        message = message.replace(_NO_OPTION, "")
        wrong = re.search(r"invalid choice: '([^']*)'|unrecognized arguments: (-[^ =]+)", message)
        if wrong is not None:
            actions = self._actions  # private: argparse has no public access to the declared arguments
            choices = [str(choice) for action in actions for choice in action.choices or ()]
            options = [option for action in actions for option in action.option_strings]
            message += did_you_mean(wrong[1] or wrong[2], choices if wrong[1] else options)
        self.exit(USAGE, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def command_parser(name: str, command: Command) -> argparse.ArgumentParser:
    """Return the parser of a command, with ``--debug`` and ``--help``, and ``--help-all`` if ``--help`` is short."""
    parser = _Parser(
        prog=f"linnet {name}",
        description=command.help[0].upper() + command.help[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=not command.common,
    )
    if command.common:
        parser.add_argument("-h", "--help", action="store_true", help="show this; --help-all shows all options")
    parser.add_argument("--help-all", action="help", help="show every option" if command.common else argparse.SUPPRESS)
    command.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"linnet: warning: {message}", file=sys.stderr)


def _closed_pipe() -> int:
    """Return success after the reader of stdout has closed the pipe.

    Stdout is redirected to the null device, so that Python does not report an error when it flushes stdout at exit.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


if __name__ == "__main__":
    sys.exit(main())
