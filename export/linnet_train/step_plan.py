"""Batch size, epochs and learning rate of a training by its number of rows, and advice where they were too small."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from linnet_train.config import OptimizerConfig

__all__ = ["FEWEST_STEPS", "StepPlan", "advice", "plan_steps"]

FEWEST_STEPS = 200
"""Steps that a training has unless its epochs are given: with fewer, a new last layer hardly leaves chance."""

_BATCH_SIZES = ((256, 8), (512, 16))  # rows below which a batch has so many, so that an epoch has steps enough
_USUAL_BATCH_SIZE = 32
_USUAL_EPOCHS = 5
_MANY_STEPS = 1_000
_MOST_EVALUATIONS = 20  # each writes a checkpoint: with five steps an epoch that would take longer than the steps
_NEAR_CHANCE = 0.25  # of the way from chance to certainty
_FELL = 0.02  # of the loss of chance, in the second half
_ROOM = 0.1  # loss that is left, of that of chance


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepPlan:
    """Length and pace of a training.

    Attributes:
        batch_size: rows of a step, of all processes together.
        epochs: passes over the rows.
        learning_rate: highest.
        steps: of all epochs.
        epochs_between: epochs from one evaluation to the next.
    """

    batch_size: int
    epochs: int
    learning_rate: float
    steps: int
    epochs_between: int = 1


def plan_steps(optimizer: OptimizerConfig, rows: int, processes: int = 1) -> StepPlan:
    """Fill in what the settings leave open: at least :data:`FEWEST_STEPS` steps, in small batches of few rows.

    Args:
        optimizer: settings, of which batch size, epochs and learning rate may be None.
        rows: number of rows that are trained on.
        processes: that share a batch.
    """
    usual = next((size for below, size in _BATCH_SIZES if rows < below), _USUAL_BATCH_SIZE)
    batch_size = optimizer.batch_size or math.ceil(usual / processes) * processes
    each = max(1, math.ceil(rows / batch_size))
    between = 1
    epochs = optimizer.epochs
    if epochs is None:
        epochs = max(_USUAL_EPOCHS, math.ceil(FEWEST_STEPS / each))
        if optimizer.objective != "contrast":  # whose batches are counted by class
            between = math.ceil(epochs / _MOST_EVALUATIONS)
        epochs = math.ceil(epochs / between) * between
    steps = epochs * each
    rate = optimizer.learning_rate or (5e-5 if steps >= _MANY_STEPS else 1e-4)
    return StepPlan(batch_size=batch_size, epochs=epochs, learning_rate=rate, steps=steps, epochs_between=between)


def advice(
    plan: StepPlan, usual: StepPlan, losses: Sequence[float], classes: int, score: float | None
) -> tuple[str, ...]:
    """Return what to change if the training ended too early; empty if it did not.

    Args:
        plan: that was followed.
        usual: the same without settings of the user.
        losses: on the held-out rows, after each evaluation.
        classes: number of classes; 0 for other tasks.
        score: mean score of the right class on the held-out rows, None for other tasks.
    """
    found = []
    if score is not None and classes > 1 and (score - 1 / classes) / (1 - 1 / classes) < _NEAR_CHANCE:
        found.append(
            f"the right class has a mean score of {score:.2f}, and chance is {1 / classes:.2f}: scores mean little yet"
        )
    chance = math.log(classes) if classes > 1 else max(losses, default=0.0)
    half = losses[len(losses) // 2 - 1 :] if len(losses) > 1 else []
    if half and half[-1] == min(losses) and half[0] - half[-1] > _FELL * chance and half[-1] > _ROOM * chance:
        found.append(f"the held-out loss still fell at the end, from {half[0]:.2f} to {half[-1]:.2f}")
    if not found:
        return ()
    return (f"{'; '.join(found)}. {_remedy(plan, usual)}",)


def _remedy(plan: StepPlan, usual: StepPlan) -> str:
    if plan.steps < usual.steps:
        more = f"{usual.epochs} epochs of batches of {usual.batch_size}, {usual.steps} steps"
        return f"{plan.steps} steps are few: leave out --epochs and --batch-size, which gives {more}"
    return f"Try --epochs {2 * plan.epochs} or --learning-rate {_doubled(plan.learning_rate)}"


def _doubled(rate: float) -> str:
    mantissa, _, exponent = f"{2 * rate:.1e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"
