"""README says what is there: options, commands, figures of the contract, make targets."""

from __future__ import annotations

import argparse
import dataclasses
import re
from pathlib import Path

import pytest

from linnet.cli.commands import find_command, list_commands
from linnet.format.manifest import TASKS, Manifest
from linnet_export.cli import command
from linnet_export.graph.architectures import supported as architectures

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def options(add_arguments: object) -> set[str]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)  # type: ignore[operator]
    return {name for action in parser._actions for name in action.option_strings}


def test_the_options_of_export_exist() -> None:
    section = README.split("## Exporting")[1].split("\n## ")[0]
    named = set(re.findall(r"--[a-z][a-z-]+", section))
    assert len(named) >= 8
    assert named <= options(command.add_arguments)


def test_the_options_of_measuring_on_devices_exist() -> None:
    text = (ROOT / "docs" / "how-to" / "bench-devices.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.lstrip().startswith("linnet bench")]
    named = {name for line in lines for name in re.findall(r" (--[a-z][a-z-]+)", line)}
    assert {"--device", "--devices-file", "--wheel", "--json"} <= named
    assert named <= options(find_command("bench").add_arguments)


def test_every_command_of_the_readme_exists() -> None:
    blocks = "".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    named = set(re.findall(r"^linnet ([a-z]+) ", blocks, re.MULTILINE))
    known = {name for name, _ in list_commands()}
    assert named
    assert named <= known
    for name in known:
        assert find_command(name).help


def test_the_number_of_fields_is_the_real_one() -> None:
    found = re.search(r"(\d+) constant methods", README)
    assert found is not None
    assert int(found.group(1)) == len(dataclasses.fields(Manifest))


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_named(task: str) -> None:
    assert task in README


def test_every_architecture_is_named() -> None:
    line = README.split("Architectures:")[1].split("\n\n")[0].lower()
    assert all(name in line for name in architectures())


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_make_target_exists(text: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)`", text)) <= targets


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_no_placeholder_is_left() -> None:
    assert "@@" not in README
    assert "TODO" not in README
