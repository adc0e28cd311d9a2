"""Trainer callbacks: progress display, log of every epoch, checkpoints between epochs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import transformers

from linnet.cli.output import write_text
from linnet_train.progress import TrainListener

__all__ = ["EpochLog", "SaveSteps", "ShowProgress"]


class ShowProgress(transformers.TrainerCallback):
    """Tells a listener how far the training is and what the last epoch gave."""

    def __init__(self, listener: TrainListener) -> None:
        self._listener = listener

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Show epoch and step."""
        epoch = f"epoch {math.ceil(state.epoch or 0)} of {args.num_train_epochs:g}"
        self._listener.stage_detail(f"{epoch}, step {state.global_step} of {state.max_steps}")

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
        """Show the figures of the epoch that ended."""
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        shown = [f"training loss {losses[-1]:.4f}"] if losses else []
        shown += [f"{name.removeprefix('eval_')} {value:.4f}" for name, value in _figures(metrics or {}).items()]
        self._listener.epoch_finished(
            f"epoch {round(state.epoch or 0)} of {args.num_train_epochs:g}: {', '.join(shown)}"
        )


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


class SaveSteps(transformers.TrainerCallback):
    """Asks for a checkpoint every so many steps, beside those after each epoch."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Ask, if it is time."""
        if state.global_step % self._steps == 0:
            control.should_save = True
        return control
