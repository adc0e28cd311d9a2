"""Trainer callbacks: progress display, log of every epoch, checkpoints between epochs."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import transformers

from linnet.cli.output import write_text
from linnet_train.config import LOWER_IS_BETTER
from linnet_train.progress import TrainListener
from linnet_train.step_plan import FEWEST_STEPS

__all__ = ["EpochLog", "SaveSteps", "ShowProgress", "StopEarly", "evaluations_since_better", "time_left"]

_USUAL_PATIENCE = 5
_LEAST_FALL = 1e-3  # share of the held-out loss: what falls less is rounding
_PACE_STEPS = 3  # before so many steps the pace is that of a cold start


class ShowProgress(transformers.TrainerCallback):
    """Tells a listener how far the training is and what the last epoch gave."""

    def __init__(self, listener: TrainListener, clock: Callable[[], float] = time.monotonic) -> None:
        self._listener = listener
        self._clock = clock
        self._started = (0.0, 0)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin the clock; steps of an interrupted training do not count."""
        self._started = (self._clock(), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Show epoch and step."""
        epoch = f"epoch {math.ceil(state.epoch or 0)} of {args.num_train_epochs:g}"
        self._listener.stage_detail(f"{epoch}, step {state.global_step} of {state.max_steps}{self._left(state)}")

    def _left(self, state: Any) -> str:
        """Return the time that is left at the pace until now, evaluations included; empty for the first steps."""
        began, first = self._started
        done, left = state.global_step - first, state.max_steps - state.global_step
        return f", {time_left((self._clock() - began) / done * left)}" if done >= _PACE_STEPS and left else ""

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
        """Show the figures of the epoch that ended."""
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        shown = [f"training loss {losses[-1]:.4f}"] if losses else []
        shown += [f"{name.removeprefix('eval_')} {value:.4f}" for name, value in _figures(metrics or {}).items()]
        self._listener.epoch_finished(
            f"epoch {round(state.epoch or 0)} of {args.num_train_epochs:g}: {', '.join(shown)}{self._left(state)}"
        )


def time_left(seconds: float) -> str:
    """Return a duration in words, as `2 min 10 s left`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s left"
    minutes = whole // 60
    return f"{minutes} min {whole % 60} s left" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min left"


def _figures(metrics: dict[str, float]) -> dict[str, float]:
    hidden = ("runtime", "per_second", "preparation_time", "jit_compilation")
    return {name: value for name, value in metrics.items()
            if name.startswith("eval_") and not any(part in name for part in hidden)}  # fmt: skip


class EpochLog(transformers.TrainerCallback):
    """Writes what was measured, one JSON object a line.

    The file is written whole from the trainer's state, which checkpoints keep: after a resumption it has
    every epoch once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the log anew."""
        if state.is_world_process_zero:
            write_text("".join(json.dumps(entry) + "\n" for entry in state.log_history), self._path, force=True)


class StopEarly(transformers.TrainerCallback):
    """Ends a training of which the held-out rows say that it gets no better.

    Args:
        patience: evaluations without a better one until it ends; None: five, but not before half of
            :data:`linnet_train.step_plan.FEWEST_STEPS`, since a new last layer begins at chance.
        metric: figure that chooses the epoch.
    """

    def __init__(self, patience: int | None, metric: str) -> None:
        self._patience = _USUAL_PATIENCE if patience is None else patience
        self._fewest_steps = FEWEST_STEPS // 2 if patience is None else 0
        self._metric = metric

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Stop, if it is time; what was logged says so, also after a resumption."""
        since = evaluations_since_better(state.log_history, self._metric)
        if since >= self._patience and state.global_step >= max(
            self._fewest_steps, args.get_warmup_steps(state.max_steps)
        ):
            control.should_training_stop = True
        return control


def evaluations_since_better(log: Sequence[Mapping[str, float]], metric: str) -> int:
    """Return for how many evaluations neither the metric nor the held-out loss got better.

    Args:
        log: what the trainer logged; evaluations have ``eval_loss``.
        metric: name of the figure without ``eval_``.
    """
    best = best_loss = math.inf
    since = 0
    for entry in log:
        if "eval_loss" not in entry:
            continue
        sign = 1 if metric in LOWER_IS_BETTER else -1
        figure, loss = sign * entry.get(f"eval_{metric}", math.nan), entry["eval_loss"]
        since = 0 if figure < best or loss < best_loss * (1 - _LEAST_FALL) else since + 1
        best, best_loss = min(best, figure), min(best_loss, loss)
    return since


class SaveSteps(transformers.TrainerCallback):
    """Asks for a checkpoint every so many steps, beside those after each epoch."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Ask, if it is time."""
        if state.global_step % self._steps == 0:
            control.should_save = True
        return control
