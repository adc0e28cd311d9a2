"""Commands: found by entry point, listed in groups, with a help that fits one screen."""

from __future__ import annotations

import argparse
import contextlib

import pytest

from linnet.cli import commands as sdk_commands
from linnet.cli import help, registry
from linnet.cli.command import GROUPS, Command
from linnet.cli.main import command_parser, main
from linnet.errors import ExtraMissingError

OWN = [
    "run",
    "chat",
    "prepare",
    "inspect",
    "explain",
    "verify",
    "sign",
    "doctor",
    "mask",
    "serve",
    "monitor",
    "replay",
    "export",
    "train",
    "init",
    "bench",
    "compare",
]
OWN += ["regress", "tune", "eval", "report", "estimate", "soak", "bundle"]


def test_every_command_of_linnet_has_one_form() -> None:
    assert [name for name, _ in registry.list_commands()][: len(OWN)] == OWN
    for name in OWN:
        command = registry.find_command(name)
        assert isinstance(command, Command)
        assert command.group in GROUPS
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        assert f"linnet {name}" in (parser.epilog or "").partition("examples:\n")[2], f"{name} shows an example"
        declared = {option for action in parser._actions for option in action.option_strings}
        assert set(command.common) <= declared


def test_json_is_a_switch_in_every_command() -> None:
    for name in OWN:
        parser = command_parser(name, registry.find_command(name))
        for action in parser._actions:
            if "--json" in action.option_strings:
                assert action.nargs == 0, name
                assert (action.help or "").startswith("print "), (name, action.help)


def test_the_overview_lists_every_command_in_its_group() -> None:
    sections = [section.splitlines() for section in help.overview().split("\n\n")]
    assert [section[0] for section in sections][: len(GROUPS)] == [f"{group}:" for group in GROUPS]
    listed = [line.split()[0] for section in sections for line in section[1:]]
    assert sorted(listed[: len(OWN)]) == sorted(OWN)


def test_the_short_overview_names_rare_commands_without_their_help() -> None:
    shown = help.overview(rare=False)
    assert "  and regress, tune, estimate, soak" in shown.splitlines()
    assert registry.find_command("soak").help not in shown
    assert registry.find_command("bench").help in shown


@pytest.mark.parametrize("name", OWN)
def test_the_help_of_every_command_has_at_most_ten_options(name: str) -> None:
    command = registry.find_command(name)
    parser = command_parser(name, command)
    options = [action for action in parser._actions if action.option_strings]
    assert len(command.common or options) <= 10


# verbs, and words that begin a name of the value; "of", "that" and the like continue a sentence that is not there
@pytest.mark.parametrize("name", OWN)
def test_the_help_of_every_option_reads_alone(name: str) -> None:
    for action in command_parser(name, registry.find_command(name))._actions:
        if action.help == argparse.SUPPRESS:
            continue
        words = (action.help or "").split()
        assert len(words) >= 3 or words in (["show", "this"],), (action.option_strings, action.help)
        assert words[0] not in {"of", "that", "in", "and", "default", "default:", "(default", "it"}, action.help


@pytest.mark.parametrize("name", ["run", "inspect", "verify", "export", "bench", "train", "compare", "eval"])
def test_the_help_of_the_commonest_commands_fits_one_screen(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with contextlib.suppress(SystemExit):  # argparse exits after a help that it prints itself
        assert main([name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24, "\n".join(lines)  # a terminal of 80 columns and 24 lines
    assert max(map(len, lines)) <= 80
    assert any(f"linnet {name}" in line for line in lines[-3:])


def test_the_whole_help_has_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--help-all"])
    shown = capsys.readouterr().out
    parser = command_parser("bench", registry.find_command("bench"))
    for action in parser._actions:
        assert all(option in shown for option in action.option_strings)


def test_an_unknown_command_names_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(registry.UnknownCommandError, match="'foo'; known are run, chat"):
        registry.find_command("foo")
    with pytest.raises(registry.UnknownCommandError, match="'exprot'; did you mean 'export'"):
        registry.find_command("exprot")


def test_a_missing_extra_gives_the_pip_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needing = Command(help="do it", group="measure", module="no_such_package_here", extra="train")
    monkeypatch.setattr("linnet.cli.main.find_command", lambda _: needing)
    assert main(["init"]) == 4
    assert 'linnet init needs more than the base: pip install "WHEEL[train]"' in capsys.readouterr().err
    assert isinstance(registry.missing_extra("init", "train"), ExtraMissingError)


def test_a_command_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "foreign_commands", lambda: {"mine": "linnet.cli.commands:doctor"})
    assert registry.find_command("mine") is sdk_commands.doctor
    assert ("mine", "from another package") in registry.list_commands()


def test_the_installed_entry_points_are_read_as_importlib_reads_them() -> None:
    from importlib import metadata

    points = metadata.distribution("linnet").entry_points
    assert registry.own_commands() == {point.name: point.value for point in points if point.group == registry.GROUP}


@pytest.mark.parametrize("name", ["inspect", "explain", "verify", "report", "bundle", "regress"])
def test_every_command_has_help_all(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help-all"])
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out or name in ("explain", "report", "bundle")


def test_a_missing_argument_is_named_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["regress"])
    assert "required: RECORD; see" in capsys.readouterr().err
