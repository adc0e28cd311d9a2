"""Help screens of ``linnet``: commands by group, and the short help of a command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from linnet.cli.command import GROUPS, Command
from linnet.cli.registry import find_command, foreign_commands, own_commands

__all__ = ["overview", "short_help"]

_SHOWN_EXAMPLES = 3
_WIDTH = 80


def overview(*, rare: bool = True) -> str:
    """Return the commands by group, one per line, those of other packages and, if not ``rare``, rare ones by name."""
    commands = {name: find_command(name) for name in own_commands()}
    sections = []
    for group in GROUPS:
        own = {name: command for name, command in commands.items() if command.group == group}
        lines = [f"  {name:<9}{command.help}" for name, command in own.items() if rare or not command.rare]
        names = ", ".join(name for name, command in own.items() if command.rare and not rare)
        sections.append("\n".join([f"{group}:", *lines, *([f"  and {names}"] if names else [])]))
    others = list(foreign_commands())
    if others:
        sections.append("\n".join(["more commands:", *(f"  {name:<9}from another package" for name in others)]))
    return "\n\n".join(sections)


def short_help(parser: argparse.ArgumentParser, command: Command) -> str:
    """Return the usage, arguments, common options and first examples of a command."""
    actions = parser._actions  # private: argparse has no public access to the declared arguments
    positionals = [a for a in actions if not a.option_strings and a.help != argparse.SUPPRESS]
    options = [action for action in actions if set(action.option_strings) & {*command.common, "--help"}]
    options[0].help = f"show this; --help-all shows all {sum(bool(a.option_strings) for a in actions)} options"
    formatter = argparse.HelpFormatter(parser.prog, max_help_position=24, width=_WIDTH)
    formatter.add_usage(f"{parser.prog} [options] {_usage(positionals)}", [], [], prefix="usage: ")
    formatter.add_text(parser.description)
    for section in (positionals, options):
        formatter.start_section(None)
        formatter.add_arguments(section)
        formatter.end_section()
    _, _, examples = (parser.epilog or "").partition("examples:\n")
    fitting = [line for line in examples.splitlines() if len(line) <= _WIDTH]
    shown = "".join(line + "\n" for line in fitting[:_SHOWN_EXAMPLES])
    return f"{formatter.format_help()}\nexamples:\n{shown}"


def _usage(positionals: Sequence[argparse.Action]) -> str:
    names = []
    for action in positionals:
        name = str(action.metavar)
        repeated = f"{name} ..." if action.nargs in ("*", "+") else name
        names.append(f"[{repeated}]" if action.nargs in ("*", "?") else repeated)
    return " ".join(names)
