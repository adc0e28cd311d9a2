"""The whole training on a small encoder: it learns, it goes on after a kill, and the file answers."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file

import linnet
from linnet.cli.main import main
from linnet.errors import CallerError
from linnet_export.errors import CheckpointError
from linnet_train import (
    CalibrationConfig,
    DataConfig,
    DistillationConfig,
    OptimizerConfig,
    ShrinkConfig,
    TrainConfig,
    train,
)
from linnet_train.errors import TrainingExistsError
from linnet_train.output import check_same_settings
from linnet_train.tasks import METRICS, TASKS
from linnet_train.tasks.base import get_task
from tests.support.training import assert_same_weights, easy_rows, train_until_killed, write_rows

FAST = OptimizerConfig(epochs=6, batch_size=16, learning_rate=5e-3)


def config(encoder: Path, rows: Path, output: Path, **changes: Any) -> TrainConfig:
    return TrainConfig(
        **{
            "model": str(encoder),
            "output": output,
            "data": DataConfig(train=rows, validation_split=0.2),
            "optimizer": FAST,
            "max_length": 32,
            **changes,
        }
    )


@pytest.fixture(scope="module")
def trained(encoder: Path, rows_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("trained") / "model"
    report = train(config(encoder, rows_file, output))
    assert report.figures["accuracy"] >= 0.9
    return output


def test_what_was_saved_answers_as_the_report_says(trained: Path) -> None:
    """transformers' own pipeline on the held-out rows is the oracle."""
    rows = [json.loads(line) for line in (trained / "training" / "held_out.jsonl").read_text().splitlines()]
    pipe: Any = transformers.pipeline("text-classification", model=str(trained), tokenizer=str(trained))
    found = [answer["label"] for answer in pipe([row["text"] for row in rows])]
    report = json.loads((trained / "training" / "report.json").read_text())
    right = sum(label == row["label"] for label, row in zip(found, rows, strict=True)) / len(rows)
    assert right == pytest.approx(report["figures"]["accuracy"])
    assert not (trained / "training" / "checkpoints").exists()


def test_every_epoch_is_in_the_log(trained: Path) -> None:
    log = [json.loads(line) for line in (trained / "training" / "log.jsonl").read_text().splitlines()]
    epochs = [entry["epoch"] for entry in log if "eval_accuracy" in entry]
    assert epochs == [1, 2, 3, 4, 5, 6]


def test_the_same_seed_gives_the_same_weights(encoder: Path, rows_file: Path, trained: Path, tmp_path: Path) -> None:
    train(config(encoder, rows_file, tmp_path / "again"))
    assert_same_weights(tmp_path / "again", trained)


def test_interrupted_while_a_checkpoint_is_written(
    encoder: Path, rows_file: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not whole does not count: the training goes on from the checkpoint before it, in mid-epoch."""
    settings = config(encoder, rows_file, tmp_path / "model", save_steps=5)
    whole = train_until_killed(settings, 2, monkeypatch)
    left = [path.name for path in (tmp_path / "model" / "training" / "checkpoints").iterdir()]
    assert whole == ["checkpoint-5", "checkpoint-8"]
    assert "checkpoint-10" in left
    with pytest.raises(TrainingExistsError, match="unfinished training: --resume goes on with it"):
        train(settings)
    report = train(dataclasses.replace(settings, resume=True))
    assert report.epochs == 6
    assert_same_weights(tmp_path / "model", trained)


def measured(output: Path) -> list[dict[str, float]]:
    """Figures of every epoch; the training loss is a mean since the resumption, and seconds differ."""
    log = [json.loads(line) for line in (output / "training" / "log.jsonl").read_text().splitlines()]
    unlike = ("runtime", "per_second", "preparation_time")
    found = [
        {name: value for name, value in entry.items() if name != "loss" and not name.endswith(unlike)} for entry in log
    ]
    return found[:-1]  # without the trainer's own summary


@pytest.mark.slow
def test_killed_and_resumed_is_as_uninterrupted(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    """kill -9 in the middle of an epoch, behind a checkpoint that is not at an epoch's end."""
    command = [
        sys.executable, "-m", "linnet", "train", str(encoder), "--data", str(rows_file), "--epochs", "30",
        "--batch-size", "16", "--learning-rate", "5e-3", "--max-length", "32", "--save-steps", "5", "--json",
    ]  # fmt: skip
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run([*command, "-o", str(whole)], check=True, capture_output=True, timeout=300)
    process = subprocess.Popen([*command, "-o", str(broken)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    checkpoints = broken / "training" / "checkpoints"
    deadline = time.monotonic() + 200
    while not list(checkpoints.glob("checkpoint-*/complete")) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (broken / "model.safetensors").exists()
    refused = subprocess.run([*command, "-o", str(broken)], capture_output=True, text=True, timeout=300)
    assert refused.returncode == 2
    assert "unfinished training: --resume goes on with it" in refused.stderr
    subprocess.run([*command, "-o", str(broken), "--resume"], check=True, capture_output=True, timeout=300)
    assert_same_weights(broken, whole)
    assert measured(broken) == measured(whole)


def test_a_finished_training_is_not_repeated(encoder: Path, rows_file: Path, trained: Path) -> None:
    before = (trained / "model.safetensors").stat().st_mtime_ns
    report = train(config(encoder, rows_file, trained, resume=True))
    assert report.figures["accuracy"] >= 0.9
    assert (trained / "model.safetensors").stat().st_mtime_ns == before


def test_other_settings_do_not_go_on(encoder: Path, rows_file: Path, trained: Path) -> None:
    with pytest.raises(TrainingExistsError, match=r"seed: 0 there, 7 now"):
        train(config(encoder, rows_file, trained, resume=True, seed=7))
    with pytest.raises(TrainingExistsError, match="--force starts over"):
        train(config(encoder, rows_file, trained))


def test_only_the_settings_that_differ_are_shown(encoder: Path, rows_file: Path, trained: Path, tmp_path: Path) -> None:
    other = dataclasses.replace(FAST, epochs=1)
    with pytest.raises(TrainingExistsError, match=r"has other settings \(optimizer.epochs: 6 there, 1 now\); give"):
        train(config(encoder, rows_file, trained, resume=True, optimizer=other))
    rows = write_rows(tmp_path / "rows.jsonl", easy_rows(80))
    with pytest.raises(TrainingExistsError, match=rf"data.train: {rows_file} there, {rows} now; the rows differ"):
        train(config(encoder, rows, trained, resume=True))


def test_a_training_that_never_began_is_not_in_the_way(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    wrong: list[dict[str, Any]] = [
        {"model": str(tmp_path / "nomodel")},
        {"shrink": ShrinkConfig(layers=(0, 99))},
        {"distillation": DistillationConfig(teacher=str(tmp_path / "nomodel"))},
    ]
    for changes in wrong:
        with pytest.raises(CallerError):
            train(config(encoder, rows_file, output, **changes))
    report = train(config(encoder, rows_file, output, optimizer=dataclasses.replace(FAST, epochs=1)))
    assert report.epochs == 1


def test_a_folder_of_that_name_with_other_files_is_not_touched(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    (tmp_path / "project" / "training").mkdir(parents=True)
    (tmp_path / "project" / "training" / "notes.txt").write_text("mine")
    with pytest.raises(TrainingExistsError, match="holds something already"):
        train(config(encoder, rows_file, tmp_path / "project"))


def test_a_small_student_learns_from_its_teacher(trained: Path, rows_file: Path, tmp_path: Path) -> None:
    report = train(
        config(
            trained,
            rows_file,
            tmp_path / "student",
            shrink=ShrinkConfig(vocabulary="corpus", layers=(0,), intermediate_size=24),
            distillation=DistillationConfig(teacher=str(trained), hidden_weight=0.5, augmentation=2),
            calibration=CalibrationConfig(temperature=True, in_scope_recall=0.9),
        )
    )
    assert report.rows > 128  # made texts beside the rows
    assert report.figures["in_scope_accuracy"] >= 0.8
    assert report.out_of_scope_shift != 0
    small = transformers.AutoConfig.from_pretrained(tmp_path / "student")
    assert (small.num_hidden_layers, small.intermediate_size) == (1, 24)
    assert len(report.shrunk) == 3
    assert report.start


def test_a_teacher_of_other_labels_is_refused(trained: Path, encoder: Path, tmp_path: Path) -> None:
    rows = [{**row, "label": f"{row['label']}2"} for row in easy_rows(40)]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    with pytest.raises(CheckpointError, match=r"has other labels than the rows"):
        train(config(encoder, file, tmp_path / "out", distillation=DistillationConfig(teacher=str(trained))))


@pytest.mark.parametrize("what", ["embeddings", "body"])
def test_what_is_frozen_stays(encoder: Path, rows_file: Path, tmp_path: Path, what: str) -> None:
    settings = dataclasses.replace(FAST, epochs=1, freeze=what, class_weights="balanced")
    train(config(encoder, rows_file, tmp_path / "out", optimizer=settings))
    before, after = load_file(encoder / "model.safetensors"), load_file(tmp_path / "out" / "model.safetensors")
    word, query = "embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight"
    assert torch.equal(before[word], after[f"bert.{word}"])
    assert torch.equal(before[query], after[f"bert.{query}"]) == (what == "body")


def test_the_best_epoch_is_chosen_by_what_is_out_of_scope(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(FAST, epochs=2)
    report = train(config(encoder, rows_file, tmp_path / "out", optimizer=settings, metric="out_of_scope_recall"))
    log = [json.loads(line) for line in (tmp_path / "out" / "training" / "log.jsonl").read_text().splitlines()]
    epochs = [entry for entry in log if "eval_out_of_scope_recall" in entry]
    best = max(epochs, key=lambda entry: (entry["eval_out_of_scope_recall"], -entry["eval_loss"]))
    assert report.best_epoch == best["epoch"]


def test_a_metric_that_the_rows_cannot_have_is_refused(encoder: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", [row for row in easy_rows(40) if row["label"] != "oos"])
    message = "metric is 'in_scope_accuracy', which cannot be measured here; .* have accuracy, macro_f1, loss"
    with pytest.raises(CallerError, match=message):
        train(config(encoder, rows, tmp_path / "out", metric="in_scope_accuracy"))
    assert not (tmp_path / "out").exists()


def test_every_metric_that_a_task_offers_can_be_asked_for() -> None:
    assert {name for task in TASKS for name in get_task(task).metrics} | {"loss"} == set(METRICS)


def test_training_stops_early(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(FAST, epochs=40, learning_rate=1e-9, warmup_ratio=0)
    report = train(config(encoder, rows_file, tmp_path / "out", optimizer=settings, early_stopping=2))
    assert (report.epochs, report.planned_epochs, report.best_epoch) == (3, 40, 1)
    assert "stopped after epoch 3 of 40" in report.notes[-1]
    assert json.loads((tmp_path / "out" / "training" / "report.json").read_text())["planned_epochs"] == 40


def test_from_rows_to_a_file_in_one_command(encoder: Path, rows_file: Path, tmp_path: Path, capsys: Any) -> None:
    stages = tmp_path / "stages.toml"
    stages.write_text(
        """
        [[stages]]
        name = "teacher"
        model = "somewhere"
        max_length = 32
        optimizer = {epochs = 6, batch_size = 16, learning_rate = 5e-3}
        [[stages]]
        name = "student"
        model = "stage:teacher"
        max_length = 32
        optimizer = {epochs = 3, batch_size = 16, learning_rate = 2e-3}
        shrink = {intermediate_size = 32}
        distillation = {teacher = "stage:teacher"}
        [export]
        recipe = "fp32"
        """
    )
    file = tmp_path / "intents.pte"
    status = main(
        ["train", str(stages), "--model", str(encoder), "--data", str(rows_file), "-o", str(tmp_path / "out"),
         "--export", str(file), "--json"]
    )  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert list(found["stages"]) == ["teacher", "student"]
    assert found["file"]["status"] == "proven"
    trained = found["stages"]["student"]["figures"]["accuracy"]
    assert found["file"]["figures"]["accuracy"] == pytest.approx(trained)
    with linnet.load(file) as model:
        assert model("play the music")[0]["label"] == "music"


@pytest.mark.slow
def test_two_processes_share_the_batches(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    """torchrun starts two; they see the rows of each step that one would, and learn the same."""
    output, alone = tmp_path / "model", tmp_path / "alone"
    words = [
        "linnet", "train", str(encoder), "--data", str(rows_file), "--epochs", "6", "--batch-size", "16",
        "--learning-rate", "5e-3", "--max-length", "32", "--validation-split", "0.2", "--dropout", "0", "--json", "-o",
    ]  # fmt: skip
    two = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--no-python", sys.executable]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *two, "-m", *words, str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=environment)
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-m", *words, str(alone)]
    subprocess.run(command, capture_output=True, check=True, timeout=400, env=environment)
    report = json.loads(done.stdout)["stages"]["model"]
    assert report["figures"]["accuracy"] >= 0.9
    log = [json.loads(line) for line in (output / "training" / "log.jsonl").read_text().splitlines()]
    assert max(entry["step"] for entry in log) == 6 * 128 // 16
    losses = [[entry["eval_loss"] for entry in measured(path) if "eval_loss" in entry] for path in (output, alone)]
    # sums of other pieces, which Adam's division by small numbers amplifies
    assert losses[0] == pytest.approx(losses[1], abs=0.02)


def test_a_recipe_that_does_not_exist_is_refused_before_the_training(
    encoder: Path, rows_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status = main(
        ["train", str(encoder), "--data", str(rows_file), "-o", str(tmp_path / "out"), "--export",
         str(tmp_path / "file.pte"), "--quantization", "int3"]
    )  # fmt: skip
    assert status == 2
    error = capfd.readouterr().err
    assert "recipe is 'int3', supported are" in error
    assert "what the libraries printed" not in error
    assert not (tmp_path / "out").exists()


def test_over_budget_is_status_1_with_the_worst_texts(
    encoder: Path, rows_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stages = tmp_path / "stages.toml"
    stage = "name = 'only'\nmodel = 'm'\nmax_length = 32\noptimizer = {epochs = 1}\n"
    stages.write_text(f"[[stages]]\n{stage}[export]\nrecipe = 'fp32'\nbudget = {{max_error = 0.0}}\n")
    status = main(
        ["train", str(stages), "--model", str(encoder), "--data", str(rows_file), "-o", str(tmp_path / "out"),
         "--export", str(tmp_path / "file.pte")]
    )  # fmt: skip
    said = capfd.readouterr().err
    assert status == 1
    assert f"only: {encoder} -> {tmp_path / 'out' / 'only'}" in said
    assert "expected max_error of at most 0" in said
    assert "difference" in said
    assert f"the trained checkpoint is in {tmp_path / 'out' / 'only'}" in said
    assert not (tmp_path / "file.pte").exists()


def test_the_output_is_named_once(
    encoder: Path, rows_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CheckpointError("enough")

    monkeypatch.setattr("linnet_train.cli.train", refuse)
    assert main(["train", str(encoder), "--data", str(rows_file), "-o", str(tmp_path / "o1")]) == 2
    assert capfd.readouterr().err.startswith(f"{encoder} -> {tmp_path / 'o1'}\n")


@pytest.mark.parametrize("name", ["early_stopping", "training.early_stopping"])
def test_a_training_goes_on_that_was_begun_when_early_stopping_was_off(name: str) -> None:
    below, _, key = name.rpartition(".")
    found = {"seed": 1, key: 0}
    check_same_settings("it", {below: found} if below else found, {below: {"seed": 1}} if below else {"seed": 1})


@pytest.mark.parametrize("name", ["pooling", "training.pooling"])
def test_a_setting_that_came_later_is_as_it_was_without(name: str) -> None:
    """A search has the settings of its trainings one level down."""
    below, _, key = name.rpartition(".")

    def settings(**values: str) -> dict[str, Any]:
        return {below: values} if below else values

    check_same_settings("it", settings(), settings(**{key: "first"}))
    with pytest.raises(TrainingExistsError, match=f"{name}: first there, mean now"):
        check_same_settings("it", settings(), settings(**{key: "mean"}))
