"""Searching: what a trial chooses, which trials are worth having, and the whole way with a tiny model."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import optuna
import pytest

import linnet
from linnet.cli.main import main
from linnet.errors import CallerError
from linnet_train import DataConfig, ShrinkConfig, TrainConfig
from linnet_train.search import Budget, SearchConfig, Space
from linnet_train.search.page import search_page
from linnet_train.search.report import SearchReport, Trial
from linnet_train.search.space import choose, evenly, settings_of
from tests.support.training import easy_rows, write_rows


def trial(number: int, value: float, megabytes: float, milliseconds: float, *, fits: bool = True) -> Trial:
    return Trial(
        number=number, directory=Path("x"), chosen={"epochs": 2}, figures={"accuracy": value}, value=value,
        megabytes=megabytes, milliseconds=milliseconds, fits=fits,
    )  # fmt: skip


TRIALS = (
    trial(1, 0.90, 10, 1.0), trial(2, 0.95, 20, 2.0, fits=False), trial(3, 0.90, 12, 1.0), trial(4, 0.90, 10, 0.9),
    trial(5, 0.70, 5, 0.5), trial(6, 0.94, 21, 2.1),
)  # fmt: skip


def report(*trials: Trial) -> SearchReport:
    return SearchReport(output=Path("found"), metric="accuracy", trials=trials, failures=("trial 7: too narrow",))


def test_the_front_is_optunas_own() -> None:
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
    for trial in TRIALS:
        values = [trial.value, trial.megabytes, trial.milliseconds]
        study.add_trial(optuna.trial.create_trial(values=values))
    assert sorted(trial.number for trial in report(*TRIALS).front) == [trial.number + 1 for trial in study.best_trials]


def test_the_best_is_within_the_budget() -> None:
    best = report(*TRIALS).best
    assert best is not None
    assert best.number == 6
    smallest = report(TRIALS[0], TRIALS[2], TRIALS[3]).best
    assert smallest is not None
    assert smallest.number == 4  # of three with the same metric
    assert report(TRIALS[1]).best is None


def test_the_page_has_every_trial() -> None:
    page = search_page(report(*TRIALS))
    assert "the best that fits is trial 6" in page
    assert "over the budget" in page
    assert "trial 7: too narrow" in page


@pytest.mark.parametrize(
    ("count", "layers", "kept"),
    [
        (1, 6, (0,)),
        (2, 6, (0, 5)),
        (3, 6, (0, 2, 5)),
        (4, 12, (0, 4, 7, 11)),
        (6, 6, (0, 1, 2, 3, 4, 5)),
        (9, 2, (0, 1)),
    ],
)
def test_layers_are_spread_evenly(count: int, layers: int, kept: tuple[int, ...]) -> None:
    assert evenly(count, layers) == kept


def test_what_is_not_searched_stays(tmp_path: Path) -> None:
    base = TrainConfig(
        model="m",
        output=tmp_path,
        data=DataConfig(train=tmp_path / "x.jsonl"),
        shrink=ShrinkConfig(vocabulary="corpus"),
    )
    chosen = choose(optuna.trial.FixedTrial({"learning_rate": 1e-4, "epochs": 3}), Space())
    found = settings_of(base, chosen, 6, tmp_path / "one")
    assert (found.optimizer.learning_rate, found.optimizer.epochs) == (1e-4, 3)
    assert found.shrink == base.shrink
    assert found.adapters is None
    space = Space(lora_ranks=(0, 8), layers=(2, 6), intermediate_sizes=(16,))
    params = {"learning_rate": 1e-4, "epochs": 3, "lora_rank": 8, "layers": 2, "intermediate_size": 16}
    found = settings_of(base, choose(optuna.trial.FixedTrial(params), space), 6, tmp_path / "two")
    assert found.shrink == ShrinkConfig(vocabulary="corpus", layers=(0, 5), intermediate_size=16)
    assert found.adapters is not None
    assert found.adapters.rank == 8


def test_impossible_settings_are_refused_together() -> None:
    with pytest.raises(CallerError) as caught:
        SearchConfig(
            trials=0, space=Space(learning_rate=(1e-3, 1e-4), epochs=(3, 1), layers=(0,)),
            budget=Budget(megabytes=0.0, tokens=1),
        )  # fmt: skip
    for expected in ("search is 0", "learning_rate is 0.001 to 0.0001", "epochs is 3 to 1", "layers is 0",
                     "max_size is 0", "tokens is 1"):  # fmt: skip
        assert expected in str(caught.value)


def test_without_the_extra_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    hidden = ("optuna", "transformers")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in hidden else found(name))
    rows = write_rows(tmp_path / "rows.jsonl", easy_rows(8))
    assert main(words(tmp_path, rows, tmp_path / "found", "--search", "1")) == 4
    assert 'a search needs transformers, optuna, not installed here; run: pip install "WHEEL[search]"' in (
        capfd.readouterr().err
    )
    assert not (tmp_path / "found").exists()


def test_bad_rows_are_refused_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", [*easy_rows(8), {"text": "", "label": "music"}])
    assert main(words(tmp_path, rows, tmp_path / "found", "--search", "1")) == 2
    assert "line 9: text is empty, expected a text" in capfd.readouterr().err
    assert not (tmp_path / "found").exists()


def test_a_mistyped_model_leaves_no_search(rows_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words(tmp_path / "nomodel", rows_file, tmp_path / "found", "--search", "1")) == 2
    assert "no such file or folder" in capfd.readouterr().err
    assert not (tmp_path / "found").exists()


def test_a_metric_that_a_file_has_not_is_refused(
    encoder: Path, rows_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words(encoder, rows_file, tmp_path / "found", "--search", "1", "--metric", "loss")) == 2
    assert "metric is 'loss', which is not measured of a file; a search" in capfd.readouterr().err
    assert not (tmp_path / "found").exists()


def words(encoder: Path, rows: Path, output: Path, *more: str) -> list[str]:
    settings = ["--batch-size", "16", "--max-length", "32", "--search-learning-rate", "4e-3,6e-3"]
    return [
        "train",
        str(encoder),
        "--data",
        str(rows),
        "-o",
        str(output),
        *settings,
        "--search-epochs",
        "3,4",
        "--json",
        *more,
    ]


@pytest.mark.slow  # half a minute: every trial is exported and measured
def test_a_search_goes_on_and_its_best_file_answers(
    encoder: Path, rows_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, file = tmp_path / "found", tmp_path / "best.pte"
    narrow = ["--search-layers", "2"]
    assert main(words(encoder, rows_file, output, "--search", "1", *narrow)) == 0
    first: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert len(first["trials"]) == 1
    assert main(words(encoder, rows_file, output, "--search", "2", *narrow)) == 2
    assert "an earlier search: --resume goes on with it" in capsys.readouterr().err
    assert main(words(encoder, rows_file, output, "--search", "2", "--seed", "5", "--resume", *narrow)) == 2
    assert "has other settings (training" in capsys.readouterr().err
    assert main(words(encoder, rows_file, output, "--search", "2", "--resume", "--export", str(file), *narrow)) == 0
    second: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert second["trials"][0] == first["trials"][0]
    assert len(second["trials"]) == 2
    best = second["trials"][[trial["number"] for trial in second["trials"]].index(second["best"])]
    assert best["figures"]["accuracy"] >= 0.6
    assert file.stat().st_size == pytest.approx(best["megabytes"] * 1e6, abs=1)
    with linnet.load(file) as model:
        assert model("play the music")[0]["label"] in {"bank", "music", "oos", "travel"}
    assert (output / "search.html").is_file()


@pytest.mark.slow
def test_a_budget_that_nothing_keeps(
    encoder: Path, rows_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, file = tmp_path / "found", tmp_path / "best.pte"
    more = ("--search", "1", "--max-size", "0.001", "--export", str(file))
    assert main(words(encoder, rows_file, output, *more)) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["best"] is None
    assert not found["trials"][0]["fits"]
    assert not file.exists()
