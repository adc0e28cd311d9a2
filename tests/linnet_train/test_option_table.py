"""Every option of `linnet train` and `linnet init`: names, values, choices and help, as they were published."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from linnet_train import DataConfig, TrainConfig
from linnet_train import cli as train_cli
from linnet_train.new_model import cli as init_cli

HERE = Path(__file__).parent


def options_of(command: Any) -> str:
    """Return one line an option, by group: option strings, metavar or choices, required or not, help."""
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    lines = []
    for group in parser._action_groups:
        lines += [f"{group.title}: {_line(action)}\n" for action in group._group_actions]
    return "".join(sorted(lines))


def _line(action: argparse.Action) -> str:
    names = " ".join(action.option_strings) or action.dest
    value = "" if action.nargs == 0 else "|".join(action.choices) if action.choices else str(action.metavar)
    return f"{names} <{value}> {'required ' if action.required else ''}-> {action.dest}: {action.help}"


@pytest.mark.parametrize(("command", "name"), [(train_cli, "train"), (init_cli, "init")])
def test_the_options_are_the_published_ones(command: Any, name: str) -> None:
    published = (HERE / f"options_of_{name}.txt").read_text(encoding="utf-8")
    assert options_of(command) == published


def test_without_options_the_settings_have_their_defaults() -> None:
    parser = argparse.ArgumentParser()
    train_cli.add_arguments(parser)
    args = parser.parse_args(["./encoder", "--data", "rows.jsonl", "-o", "out"])
    stages, file = train_cli._stages(args.options.complete(args))
    expected = TrainConfig(model="./encoder", output=Path("out"), data=DataConfig(train=Path("rows.jsonl")))
    assert (stages, file) == ([("out", expected)], None)
