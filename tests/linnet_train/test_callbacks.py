"""When a training ends before its last epoch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("transformers")

from linnet_train.callbacks import StopEarly, evaluations_since_better


def log(losses: list[float], figures: list[float]) -> list[dict[str, float]]:
    """What the trainer logs: a training loss beside each evaluation."""
    entries: list[dict[str, float]] = []
    for loss, figure in zip(losses, figures, strict=True):
        entries += [{"loss": 0.1}, {"eval_loss": loss, "eval_accuracy": figure, "eval_perplexity": figure}]
    return entries


@pytest.mark.parametrize(("losses", "figures", "metric", "since"), [
    ([0.9, 0.5, 0.6, 0.7], [0.5, 0.8, 0.8, 0.7], "accuracy", 2),  # the second was the best by both
    ([0.9, 0.5, 0.6, 0.7], [0.5, 0.8, 0.8, 0.9], "accuracy", 0),  # the loss rises, the accuracy too
    ([0.9, 0.5, 0.4, 0.3], [0.5, 0.8, 0.8, 0.7], "accuracy", 0),  # the loss still falls
    ([0.9, 0.5, 0.6, 0.7], [0.5, 0.8, 0.8, 0.9], "loss", 2),
    ([0.9, 0.9, 0.9, 0.9], [9.0, 8.0, 8.5, 8.0], "perplexity", 2),  # the lowest is best
    ([0.9, 0.8999, 0.8998], [0.5, 0.5, 0.5], "accuracy", 2),  # rounding is no progress
    ([], [], "accuracy", 0),
])  # fmt: skip
def test_what_counts_as_better(losses: list[float], figures: list[float], metric: str, since: int) -> None:
    assert evaluations_since_better(log(losses, figures), metric) == since


@pytest.mark.parametrize(("patience", "step", "stops"), [
    (None, 99, False), (None, 100, True), (6, 500, False), (5, 30, True), (5, 19, False), (1, 30, True),
])  # fmt: skip
def test_when_a_training_stops(patience: int | None, step: int, stops: bool) -> None:
    """After five evaluations that were not better: by default not before 100 steps, and never in the warm-up of 20."""
    losses = [0.5, 0.6, 0.6, 0.7, 0.8, 0.9]
    state = SimpleNamespace(log_history=log(losses, losses), global_step=step, max_steps=200)
    control = SimpleNamespace(should_training_stop=False)
    arguments: Any = SimpleNamespace(get_warmup_steps=lambda steps: steps // 10)
    StopEarly(patience, "loss").on_evaluate(arguments, state, control)
    assert control.should_training_stop is stops
