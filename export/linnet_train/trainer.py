"""Subclass of transformers' Trainer with reproducible row order and complete checkpoints."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers

from linnet.atomic_file import named_full_disk
from linnet.errors import NoSpaceError
from linnet_train.checkpoints import PREFIX, checkpoint_bytes, mark_complete
from linnet_train.config import LOWER_IS_BETTER, TrainConfig
from linnet_train.data.batches import LengthGroupedSampler
from linnet_train.step_plan import StepPlan
from linnet_train.techniques.contrast import ClassGroupedSampler

if TYPE_CHECKING:
    from linnet_train.tasks.base import Step

__all__ = ["RowTrainer", "training_arguments"]


class RowTrainer(transformers.Trainer):
    """Trains on :class:`Rows`; in batches of similar length, or of several rows of a class if `by_class`."""

    def __init__(self, step: Step, order_seed: int, *, by_class: bool = False, **settings: Any) -> None:
        super().__init__(**settings)
        self._step = step
        self._order_seed = order_seed
        self._by_class = by_class
        self.model_accepts_loss_kwargs = False  # the loss is ours, a mean over the batch

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of a batch, and the outputs if they are asked for."""
        loss, measured = self._step(model, inputs)
        return (loss, {"loss": loss, **measured}) if return_outputs else loss

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        rows: Any = train_dataset if train_dataset is not None else self.train_dataset
        if self._by_class:
            return ClassGroupedSampler(rows, self._order_seed)
        return LengthGroupedSampler(rows, self.args.train_batch_size * self.args.world_size, self._order_seed)

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Return whether these figures are the best until now; between equal ones the lower loss decides."""
        if super()._determine_best_metric(metrics, trial):
            return True
        wanted = self.args.metric_for_best_model
        if wanted is None or metrics.get(f"eval_{wanted.removeprefix('eval_')}") != self.state.best_metric:
            return False
        best = [entry for entry in self.state.log_history if entry.get("step") == self.state.best_global_step]
        losses = [entry["eval_loss"] for entry in best if "eval_loss" in entry]
        if not losses or not metrics["eval_loss"] < losses[-1]:
            return False
        self.state.best_global_step = self.state.global_step
        return True

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        checkpoint = Path(self._get_output_dir(trial=trial)) / f"{PREFIX}{self.state.global_step}"
        try:
            with named_full_disk(checkpoint, checkpoint_bytes(model)):
                super()._save_checkpoint(model, trial)
                self.accelerator.wait_for_everyone()  # each process writes the state of its own generator
                if self.args.should_save:
                    mark_complete(checkpoint)
        except NoSpaceError:
            shutil.rmtree(checkpoint, ignore_errors=True)
            raise


def training_arguments(
    config: TrainConfig, plan: StepPlan, checkpoints: Path, world_size: int
) -> transformers.TrainingArguments:
    """Return the trainer's settings.

    Args:
        config: ours.
        plan: length and pace.
        checkpoints: directory of the checkpoints.
        world_size: processes that share a batch.
    """
    optimizer = config.optimizer
    # by contrast the last epoch counts: a held-out row whose class has no other there says nothing
    chooses = optimizer.objective != "contrast"
    strategy = "epoch" if plan.epochs_between == 1 else "steps"
    steps = max(1, plan.steps // plan.epochs * plan.epochs_between)
    logging.getLogger("torch.distributed").setLevel(logging.ERROR)
    return transformers.TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=plan.epochs,
        per_device_train_batch_size=plan.batch_size // world_size,
        per_device_eval_batch_size=128,
        learning_rate=plan.learning_rate,
        lr_scheduler_type=optimizer.schedule,
        warmup_steps=optimizer.warmup_ratio,  # below 1 it is a share
        weight_decay=optimizer.weight_decay,
        max_grad_norm=optimizer.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=optimizer.precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        seed=config.seed,
        data_seed=config.seed,
        eval_strategy=strategy,
        save_strategy=strategy,
        logging_strategy=strategy,
        eval_steps=steps,
        save_steps=steps,
        logging_steps=steps,
        save_total_limit=2,
        load_best_model_at_end=chooses,
        metric_for_best_model=config.metric if chooses else None,
        greater_is_better=config.metric not in LOWER_IS_BETTER if chooses else None,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=False,
        disable_tqdm=True,
        report_to=_trackers(),
        ddp_backend="gloo" if world_size > 1 and not torch.cuda.is_available() else None,
    )


def _trackers() -> list[str]:
    """Weights & Biases where it is installed and set up; TensorBoard is a callback of ours."""
    wanted = any(name in os.environ for name in ("WANDB_PROJECT", "WANDB_API_KEY", "WANDB_MODE"))
    return ["wandb"] if wanted and importlib.util.find_spec("wandb") else []
