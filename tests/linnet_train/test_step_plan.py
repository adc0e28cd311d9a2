"""Length of a training by its rows, and what is said where it was too short; expected values by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import transformers

from linnet_train.callbacks import ShowProgress, time_left
from linnet_train.config import OptimizerConfig
from linnet_train.progress import QuietTraining
from linnet_train.step_plan import StepPlan, advice, plan_steps
from linnet_train.trainer import RowTrainer


@pytest.mark.parametrize(
    ("rows", "plan"),
    [
        (8, StepPlan(batch_size=8, epochs=200, learning_rate=1e-4, steps=200, epochs_between=10)),
        (40, StepPlan(batch_size=8, epochs=40, learning_rate=1e-4, steps=200, epochs_between=2)),
        (110, StepPlan(batch_size=8, epochs=15, learning_rate=1e-4, steps=210)),
        (400, StepPlan(batch_size=16, epochs=8, learning_rate=1e-4, steps=200)),
        (1_000, StepPlan(batch_size=32, epochs=7, learning_rate=1e-4, steps=224)),
        (15_000, StepPlan(batch_size=32, epochs=5, learning_rate=5e-5, steps=2345)),
    ],
)
def test_few_rows_have_small_batches_and_many_epochs(rows: int, plan: StepPlan) -> None:
    assert plan_steps(OptimizerConfig(), rows) == plan


def test_what_is_given_stays() -> None:
    given = OptimizerConfig(epochs=6, batch_size=32, learning_rate=3e-4)
    assert plan_steps(given, 120) == StepPlan(batch_size=32, epochs=6, learning_rate=3e-4, steps=24)
    assert plan_steps(OptimizerConfig(epochs=6), 120).epochs_between == 1
    assert plan_steps(OptimizerConfig(), 40, processes=3).batch_size == 9


ISSUE = StepPlan(batch_size=32, epochs=6, learning_rate=1e-4, steps=24)
USUAL = plan_steps(OptimizerConfig(), 120)


def test_a_training_that_ends_at_chance_says_what_to_change() -> None:
    """Ten intents, twelve rows each, six epochs of batches of 32: every text scored 0.11 to 0.13."""
    (text,) = advice(ISSUE, USUAL, [2.2, 2.12, 2.06, 2.0, 1.92, 1.88], 10, 0.12)
    assert text == (
        "the right class has a mean score of 0.12, and chance is 0.10: scores mean little yet; the held-out loss still "
        "fell at the end, from 2.06 to 1.88. 24 steps are few: leave out --epochs and --batch-size, which gives 14 "
        "epochs of batches of 8, 210 steps"
    )


def test_a_long_training_is_told_to_go_on() -> None:
    (text,) = advice(USUAL, USUAL, [2.0, 1.5, 1.2, 1.0], 10, 0.6)
    assert text == "the held-out loss still fell at the end, from 1.50 to 1.00. Try --epochs 28 or --learning-rate 2e-4"


@pytest.mark.parametrize(
    ("losses", "classes", "score"),
    [
        ([2.0, 0.54, 0.52, 0.5], 10, 0.7),  # 0.54 to 0.5 is little, of 2.3
        ([2.0, 0.6, 0.5, 0.55], 10, 0.7),
        ([2.0, 0.3, 0.1, 0.05], 10, 0.95),  # nothing is left to learn
        ([1.0], 10, 0.7),
        ([], 0, None),
    ],
)
def test_a_training_that_was_long_enough_says_nothing(losses: list[float], classes: int, score: float | None) -> None:
    assert advice(USUAL, USUAL, losses, classes, score) == ()


def test_of_two_classes_chance_is_a_half() -> None:
    assert "chance is 0.50" in advice(ISSUE, USUAL, [0.69], 2, 0.52)[0]
    assert advice(ISSUE, USUAL, [0.3], 2, 0.8) == ()


def trainer_with(log: list[dict[str, float]], wanted: str, best: float | None, step: int) -> RowTrainer:
    trainer = RowTrainer.__new__(RowTrainer)
    trainer.args = SimpleNamespace(  # type: ignore[assignment]
        metric_for_best_model=wanted, greater_is_better=wanted != "loss", save_strategy="epoch"
    )
    trainer.state = transformers.TrainerState(log_history=log, best_metric=best, best_global_step=step)
    trainer.state.global_step = 30
    return trainer


@pytest.mark.parametrize(
    ("accuracy", "loss", "better"),
    [(0.9, 0.4, True), (0.9, 0.6, False), (0.9, 0.5, False), (0.8, 0.1, False), (1.0, 9.0, True)],
)
def test_between_equal_figures_the_loss_decides(accuracy: float, loss: float, better: bool) -> None:
    log = [{"step": 10, "eval_accuracy": 0.7, "eval_loss": 0.1}, {"step": 20, "eval_accuracy": 0.9, "eval_loss": 0.5}]
    trainer = trainer_with(log, "accuracy", 0.9, 20)
    assert trainer._determine_best_metric({"eval_accuracy": accuracy, "eval_loss": loss}, None) is better
    assert trainer.state.best_global_step == (30 if better else 20)


def test_the_time_that_is_left_is_shown() -> None:
    shown: list[str] = []

    class Listener(QuietTraining):
        def stage_detail(self, text: str) -> None:
            shown.append(text)

        def epoch_finished(self, text: str) -> None:
            shown.append(text)

    now = [100.0]
    progress = ShowProgress(Listener(), lambda: now[0])
    state = SimpleNamespace(epoch=0.5, global_step=40, max_steps=100, log_history=[])
    arguments = SimpleNamespace(num_train_epochs=2)
    progress.on_train_begin(arguments, state, None)  # a training that goes on at step 40
    for step in (41, 50):
        now[0] += 10
        state.global_step = step
        progress.on_step_end(arguments, state, None)
    progress.on_evaluate(arguments, state, None, {"eval_loss": 0.5})
    assert shown == [
        "epoch 1 of 2, step 41 of 100",
        "epoch 1 of 2, step 50 of 100, 1 min 40 s left",
        "epoch 0 of 2: loss 0.5000, 1 min 40 s left",
    ]
    assert [time_left(seconds) for seconds in (0.4, 59.6, 3_599, 7_380)] == [
        "0 s left", "1 min 0 s left", "59 min 59 s left", "2 h 3 min left",
    ]  # fmt: skip
