"""Errors of arguments that name what was probably meant."""

from __future__ import annotations

import pytest

from linnet.cli.main import main
from linnet.errors import InvalidArgumentError
from linnet.suggestions import did_you_mean


def test_a_suggestion_is_near_or_there_is_none() -> None:
    assert did_you_mean("exprot", ["export", "explain"]) == "; did you mean 'export'?"
    assert did_you_mean("zzz", ["export"]) == ""


@pytest.mark.parametrize(
    ("other", "task"),
    [
        ("ner", "token-classification"),
        ("sentiment-analysis", "text-classification"),
        ("embeddings", "feature-extraction"),
        ("text-clasification", "text-classification"),
    ],
)
def test_other_names_of_tasks_are_known(other: str, task: str) -> None:
    """The first two are the aliases of transformers.pipelines."""
    known = ["text-classification", "token-classification", "feature-extraction"]
    assert did_you_mean(other, known) == f"; did you mean {task!r}?"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["exprot", "model"], "'export'"),
        (["run", "a", "--aggregation-strategy", "frist"], "'first'"),
        (["run", "a", "--jsom"], "'--json'"),
        (["train", "model", "--task", "ner", "--data", "x", "-o", "y"], "'token-classification'"),
        (["bundle", "a.pte", "--target", "andriod"], "'android'"),
        (["estimate", "a.pte", "--device", "p5"], "'pi5'"),
        (["bench", "a.pte", "--device", "locla"], "'local'"),
    ],
)
def test_arguments_name_what_was_meant(arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(arguments)
    except SystemExit as end:  # argparse
        status = int(str(end.code))
    assert status == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_the_settings_of_an_export_do_too() -> None:
    from linnet_export.checkpoint.task_detection import known_task
    from linnet_export.config import ExportConfig
    from linnet_export.errors import CheckpointError

    with pytest.raises(InvalidArgumentError, match=r"did you mean '8da4w'\?"):
        ExportConfig(model="m", recipe="8da4")
    with pytest.raises(CheckpointError, match=r"did you mean 'feature-extraction'\?"):
        known_task("embeddings")
    assert known_task("ner").name == "token-classification"
    assert known_task("sentiment-analysis").name == "text-classification"
