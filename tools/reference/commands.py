"""The page of all commands, generated from their argparse parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from tools.reference.markdown import GENERATED, cell, code_block, table

from linnet.cli.main import command_parser
from linnet.cli.registry import find_command, own_commands

__all__ = ["commands_page"]

_INTRODUCTION = """\
# Commands

Every command takes `--help`, which shows the same text, and `--debug`, which shows where an error comes from.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | a check failed: a wrong answer, a proof over budget, a regression |
| 2 | wrong usage |
| 3 | the file was refused |
| 4 | this build or machine lacks something, such as torch |
| 5 | the run failed, or there is no space left for its output |
| 130 | interrupted with Ctrl-C |
"""


def commands_page() -> str:
    """Return the page: every command with its usage, options and examples."""
    lines = [GENERATED.format(source="the parsers of the commands"), _INTRODUCTION]
    for name in own_commands():
        lines += [*_command(name, command_parser(name, find_command(name))), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from (f"## linnet {name}", "", (parser.description or "").strip(), "")
    yield from (*code_block(_usage(parser), "text"), "")
    for group in parser._action_groups:  # argparse has no public list of its groups
        actions = [action for action in group._group_actions if not _is_common(action)]
        if actions:
            yield from _group(group, actions)
    if parser.epilog:
        yield from code_block(parser.epilog, "text")


def _usage(parser: argparse.ArgumentParser) -> str:
    """Return the usage on one line: how argparse wraps it differs between versions of Python."""
    positionals = [action for action in parser._actions if not action.option_strings and not _is_common(action)]
    return " ".join([parser.prog, "[options]", *map(_positional, positionals)])


def _positional(action: argparse.Action) -> str:
    name = _metavar(action)
    forms = {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} [{name} ...]"}
    return forms.get(str(action.nargs), name)


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    if action.metavar is not None:
        return action.metavar
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper() if action.option_strings else action.dest


def _is_common(action: argparse.Action) -> bool:
    return {"--help", "--help-all", "--debug"} & set(action.option_strings) != set() or action.help == argparse.SUPPRESS


def _group(group: argparse._ArgumentGroup, actions: list[argparse.Action]) -> Iterator[str]:
    heading = {"positional arguments": "Arguments"}.get(group.title or "", (group.title or "Options").capitalize())
    yield from (f"**{heading}**", "")
    if group.description:
        yield from (cell(group.description), "")
    column = "option" if actions[0].option_strings else "argument"
    rows = [(f"`{_invocation(action)}`".replace("|", "\\|"), cell(_help(action))) for action in actions]
    yield from (*table([column, "meaning"], rows), "")


def _invocation(action: argparse.Action) -> str:
    if not action.option_strings:
        return _metavar(action)
    value = "" if action.nargs == 0 else " " + _metavar(action)
    return ", ".join(action.option_strings) + value


def _help(action: argparse.Action) -> str:
    return (action.help or "") % {**vars(action), "prog": "linnet"}
