"""A training of a few rows: long enough by itself, or it says what to change; what it confuses is shown."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from linnet.cli.main import main
from linnet_train import DataConfig, OptimizerConfig, TrainConfig, train
from linnet_train.report import Confusion, TrainReport, count_confusions
from tests.support.html_reader import read_page
from tests.support.training import easy_rows, train_until_killed, write_rows


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve rows of each of four classes."""
    return write_rows(tmp_path_factory.mktemp("few") / "rows.jsonl", easy_rows(48))


def config(encoder: Path, rows: Path, output: Path, **optimizer: float) -> TrainConfig:
    settings = OptimizerConfig(**{"learning_rate": 5e-3, **optimizer})  # type: ignore[arg-type]
    return TrainConfig(
        model=str(encoder), output=output, data=DataConfig(train=rows), optimizer=settings, max_length=32
    )


@pytest.fixture(scope="module")
def trained(encoder: Path, few: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainReport:
    return train(config(encoder, few, tmp_path_factory.mktemp("trained") / "model"))


def test_by_default_it_is_long_enough(trained: TrainReport) -> None:
    assert (trained.batch_size, trained.epochs, trained.steps) == (8, 34, 204)  # 44 rows: 6 steps an epoch
    log = [json.loads(line) for line in (trained.output / "training" / "log.jsonl").read_text().splitlines()]
    evaluated = [entry for entry in log if "eval_loss" in entry]
    assert [entry["epoch"] for entry in evaluated] == list(range(2, 35, 2))
    best = min(evaluated, key=lambda entry: entry["eval_loss"])
    assert (trained.chosen_by, trained.best_epoch) == ("loss", best["epoch"])
    assert trained.figures["mean_right_score"] == pytest.approx(best["eval_mean_right_score"], abs=1e-4)
    assert trained.figures["mean_right_score"] > 0.5
    assert trained.warnings == ()


def test_too_few_steps_are_said(encoder: Path, few: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", str(encoder), "--data", str(few), "-o", str(tmp_path / "m"), "--max-length", "32"]
    assert main([*arguments, "--epochs", "1", "--batch-size", "32", "--learning-rate", "1e-5"]) == 0
    told = capfd.readouterr()
    assert "linnet: warning: m: the right class has a mean score of 0.2" in told.err
    assert "2 steps are few: leave out --epochs and --batch-size, which gives 34 epochs of batches of 8" in told.err
    assert "mean_right_score 0.2" in told.err
    assert re.search(r"right class +taken for +held-out rows", told.out)
    page = (tmp_path / "m" / "training" / "report.html").read_text(encoding="utf-8")
    assert not read_page(page).problems
    for part in ("Taken for each other", "Loss by epoch", "Score by epoch", "2 steps are few"):
        assert part in page
    saved = TrainReport.read(tmp_path / "m" / "training" / "report.json", tmp_path / "m")
    assert saved.warnings
    assert saved.confusions


def test_a_report_of_an_earlier_version_is_read(trained: TrainReport, tmp_path: Path) -> None:
    found = trained.to_json()
    later = ("warnings", "batch_size", "learning_rate", "steps", "chosen_by", "confusions")
    (tmp_path / "report.json").write_text(json.dumps({name: found[name] for name in found if name not in later}))
    read = TrainReport.read(tmp_path / "report.json", trained.output)
    assert read == dataclasses.replace(
        trained, warnings=(), batch_size=0, learning_rate=0.0, steps=0, chosen_by="", confusions=()
    )


def test_confusions_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    names = list("abcde")
    expected, found = (generator.choice(names, 200).tolist() for _ in range(2))
    matrix = confusion_matrix(expected, found, labels=names)
    pairs = {
        (left, right): int(matrix[i, j]) for i, left in enumerate(names) for j, right in enumerate(names) if i != j
    }
    counted = count_confusions(expected, found)
    assert {(pair.expected, pair.found): pair.count for pair in counted} == {k: v for k, v in pairs.items() if v}
    assert [pair.count for pair in counted] == sorted(pairs.values(), reverse=True)
    assert all(pair.rows == expected.count(pair.expected) for pair in counted)
    assert count_confusions(["a", "b"], ["a", "a"]) == (Confusion("b", "a", 1, 1),)


def test_ctrl_c_names_the_way_on(
    encoder: Path, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "m"

    def interrupted(settings: TrainConfig, listener: object) -> None:
        train_until_killed(settings, 1, monkeypatch)
        raise KeyboardInterrupt

    monkeypatch.setattr("linnet_train.cli.train", interrupted)
    assert main(["train", str(encoder), "--data", str(few), "-o", str(output), "--epochs", "2"]) == 130
    told = capfd.readouterr().err
    assert f"{output} has a checkpoint of step 6: the same command with --resume goes on" in told


def test_ctrl_c_before_the_first_step(
    encoder: Path, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(settings: TrainConfig, listener: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("linnet_train.cli.train", interrupted)
    assert main(["train", str(encoder), "--data", str(few), "-o", str(tmp_path / "m")]) == 130
    assert "no step was made yet: the same command starts again" in capfd.readouterr().err
