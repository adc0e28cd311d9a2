"""One training on one page: read, load, shrink, ask the teacher, train, calibrate, save."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import transformers
from accelerate import PartialState
from torch import Tensor, nn

from linnet.errors import InvalidArgumentError
from linnet_export.progress import Stages
from linnet_train.checkpoints import last_complete
from linnet_train.config import OptimizerConfig, TrainConfig
from linnet_train.data.augmentation import augment
from linnet_train.data.batches import NO_LABEL, Rows, encode, text_pairs
from linnet_train.data.examples import Examples
from linnet_train.distill.teacher import ask_teacher
from linnet_train.distill.transfer import load_teacher, release, with_teacher
from linnet_train.methods.adapters import add_adapters, merge_adapters, trained_parameters
from linnet_train.methods.adversarial import with_adversary
from linnet_train.methods.calibration import Calibration, calibrate
from linnet_train.methods.quantization_aware import imitate, restore
from linnet_train.output import Output, find_output, prepare_output
from linnet_train.progress import TrainListener
from linnet_train.prune import shrink
from linnet_train.report import TrainReport
from linnet_train.tasks import get_task
from linnet_train.tasks.base import Step, TrainingTask, known_figures
from linnet_train.trainer import RowTrainer, training_arguments
from linnet_train.watch import EpochLog, SaveSteps, ShowProgress

__all__ = ["train"]

_IMPORTANCE_ROWS = 1024
"""Rows on which the importance of neurons is measured; more change the order little."""
_UNTRAINED_HEAD = "the last layer was not trained: accuracy means nothing before a second stage has trained it"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A model that is ready to learn.

    Attributes:
        model: shrunk, with adapters or rounded layers if they are wanted.
        tokenizer: that belongs to it.
        steps: what was done to it, as sentences.
        new_head: the checkpoint had none for these labels.
        exact: layers that rounded ones stand in for, by name.
    """

    model: Any
    tokenizer: Any
    steps: Sequence[str]
    new_head: bool
    exact: dict[str, nn.Module]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What the training gave, beside the model.

    Attributes:
        rows, held_out: how many there were.
        trained_parameters: weights that were trained.
        start: figures on the held-out rows after shrinking and before training.
        trained: after training.
        calibration: what was folded in then.
        final: figures of what is saved.
        notes: what one should know of them.
    """

    rows: int
    held_out: int
    trained_parameters: int
    start: Mapping[str, float]
    trained: Mapping[str, float]
    calibration: Calibration
    final: Mapping[str, float]
    notes: tuple[str, ...]


def train(config: TrainConfig, examples: Examples, stages: Stages, listener: TrainListener) -> TrainReport:
    """See :func:`linnet_train.train`, which has read the examples as the first of the stages."""
    task = get_task(config.task)
    task.refuse_impossible(config)
    task.refuse_unmeasured(config, examples)
    processes = PartialState(cpu=not torch.cuda.is_available())
    size, count = config.optimizer.batch_size, processes.num_processes
    if size % count:
        raise InvalidArgumentError(f"batch_size is {size}, needed a multiple of the {count} processes that share it")
    with processes.main_process_first():
        # what the first process made, the others find
        first = processes.is_main_process
        output = prepare_output(config) if first else find_output(config)
    if output.report is not None:
        return output.report  # finished before, and asked to go on
    with stages.stage("checkpoint"):
        prepared = _prepare(config, task, examples, stages)
        if first:
            output.keep_rows(examples, config.task, prepared.tokenizer)
    with stages.stage("teacher") if config.distillation else contextlib.nullcontext(), processes.main_process_first():
        rows = _training_rows(config, examples, prepared.tokenizer, output, stages)
        step = _step(config, task, examples, prepared, rows)
    held_out = task.encode(examples.validation, examples, prepared.tokenizer, config)
    with stages.stage("train"):
        trainer = _trainer(config, step, prepared, rows, held_out, examples, output, listener)
        start: Mapping[str, float] = {}
        if config.shrink.changes_anything and not prepared.new_head:
            start = known_figures(trainer.predict(held_out).metrics or {}, "test_", task.metrics)
        if first:
            output.begin(config)
        learnt_weights = _learn(config, trainer, output)
    with stages.stage("calibrate"):
        trained, calibration, final = _measure(config, trainer, held_out, examples)
    restore(prepared.model, prepared.exact)
    outcome = _Outcome(
        rows=len(rows), held_out=len(held_out), trained_parameters=learnt_weights, start=start, trained=trained,
        calibration=calibration, final=final,
        notes=(_UNTRAINED_HEAD,) if config.optimizer.objective == "contrast" else (),
    )  # fmt: skip
    report = _report(task, examples, output, prepared, trainer, outcome, stages.seconds)
    if first:
        output.finish(prepared.model, prepared.tokenizer, report, config)
    return report


def _prepare(config: TrainConfig, task: TrainingTask, examples: Examples, stages: Stages) -> _Prepared:
    """Load the checkpoint, shrink it, and give it adapters or rounding."""
    transformers.set_seed(config.seed)
    loaded = task.load(config.model, examples, config)
    texts = [part for each in examples.train for part in (each.text, each.pair) if part is not None]
    model, tokenizer, steps = shrink(
        loaded.model, loaded.tokenizer, config.shrink, texts,
        lambda used: _importance_batches(used, examples, config), stages.detail,
        _importance_loss(task, config, examples),
    )  # fmt: skip
    if config.adapters is not None:
        steps = [*steps, add_adapters(model, config.adapters)]
    exact = {} if config.quantize_aware is None else imitate(model, config.quantize_aware)
    return _Prepared(model=model, tokenizer=tokenizer, steps=steps, new_head=loaded.new_head, exact=exact)


def _learn(config: TrainConfig, trainer: RowTrainer, output: Output) -> int:
    """Train, or go on with it; return how many weights were trained."""
    model: Any = trainer.model
    transformers.set_seed(config.seed)
    with PartialState().main_process_first():
        resumed = last_complete(output.checkpoints)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    release(model)
    count = trained_parameters(model)
    if config.adapters is not None:
        merge_adapters(model)
    return count


def _report(
    task: TrainingTask,
    examples: Examples,
    output: Output,
    prepared: _Prepared,
    trainer: RowTrainer,
    outcome: _Outcome,
    seconds: Mapping[str, float],
) -> TrainReport:
    return TrainReport(
        output=output.directory,
        task=task.name,
        labels=len(examples.labels),
        rows=outcome.rows,
        held_out=outcome.held_out,
        parameters=sum(each.numel() for each in prepared.model.parameters()),
        trained_parameters=outcome.trained_parameters,
        epochs=round(trainer.state.epoch or 0),
        best_epoch=_best_epoch(trainer),
        shrunk=tuple(prepared.steps),
        start=outcome.start,
        before_calibration=outcome.trained,
        figures=outcome.final,
        temperature=outcome.calibration.temperature,
        out_of_scope_shift=outcome.calibration.shift,
        out_of_scope=examples.out_of_scope,
        seconds={name: round(value, 1) for name, value in seconds.items()},
        notes=(*examples.notes, *outcome.notes),
    )


def _importance_batches(tokenizer: Any, examples: Examples, config: TrainConfig) -> list[dict[str, Any]]:
    step = max(1, len(examples.train) // _IMPORTANCE_ROWS)
    task = get_task(config.task)
    rows = task.encode(examples.train[::step], examples, tokenizer, config)
    collate = task.collator(tokenizer.pad_token_id)
    return [collate([rows[place] for place in range(start, min(start + 64, len(rows)))])
            for start in range(0, len(rows), 64)]  # fmt: skip


def _importance_loss(
    task: TrainingTask, config: TrainConfig, examples: Examples
) -> Callable[[Any, dict[str, Tensor]], Tensor]:
    plain = dataclasses.replace(config, optimizer=OptimizerConfig(), distillation=None)
    step = task.step(plain, Rows([], []), examples)
    return lambda model, batch: step(model, batch)[0]


def _training_rows(config: TrainConfig, examples: Examples, tokenizer: Any, output: Output, stages: Stages) -> Rows:
    rows = get_task(config.task).encode(examples.train, examples, tokenizer, config)
    if config.distillation is None or get_task(config.task).teacher_beside:
        return rows
    made: list[tuple[str, str | None]] = []
    if config.distillation.augmentation and all(each.pair is None for each in examples.train):
        words = augment([each.text for each in examples.train], config.distillation.augmentation, config.seed)
        made = [(text, None) for text in words]
    texts = [*text_pairs(examples.train), *made]
    answers = ask_teacher(
        config.distillation, examples.labels, texts, config.max_length, output.teacher, stages.detail,
        bfloat16=config.optimizer.precision == "bf16",
    )  # fmt: skip
    inputs = [*rows.inputs, *encode(tokenizer, made, config.max_length)] if made else rows.inputs
    return Rows(inputs, [*rows.labels, *[NO_LABEL] * len(made)], answers)


def _step(config: TrainConfig, task: TrainingTask, examples: Examples, prepared: _Prepared, rows: Rows) -> Step:
    """Return what computes the loss: the task's, perhaps with a teacher beside it, perhaps on harder texts too."""
    step = task.step(config, rows, examples)
    if config.distillation is not None and (task.teacher_beside or config.distillation.transfers):
        step = with_teacher(step, load_teacher(config, task, examples, prepared.model, prepared.tokenizer))
    return with_adversary(step, config.optimizer.adversarial)


def _trainer(
    config: TrainConfig,
    step: Step,
    prepared: _Prepared,
    rows: Rows,
    held_out: Rows,
    examples: Examples,
    output: Output,
    listener: TrainListener,
) -> RowTrainer:
    _freeze(prepared.model, config.optimizer.freeze)
    task = get_task(config.task)
    settings = dataclasses.replace(config, metric=task.watched(config))
    callbacks: list[Any] = [ShowProgress(listener), EpochLog(output.log)]
    if config.save_steps:
        callbacks.append(SaveSteps(config.save_steps))
    if config.early_stopping:
        callbacks.append(transformers.EarlyStoppingCallback(config.early_stopping))
    trainer = RowTrainer(
        step,
        config.seed,
        by_class=config.optimizer.objective == "contrast",
        model=prepared.model,
        args=training_arguments(settings, output.checkpoints, PartialState().num_processes),
        train_dataset=rows,
        eval_dataset=held_out,
        data_collator=task.collator(prepared.tokenizer.pad_token_id),
        compute_metrics=lambda found: task.figures(found.predictions, held_out, examples),
        callbacks=callbacks,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    if importlib.util.find_spec("tensorboard"):
        trainer.add_callback(_tensorboard(output))
    return trainer


def _tensorboard(output: Output) -> Any:
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations.integration_utils import TensorBoardCallback

    return TensorBoardCallback(SummaryWriter(log_dir=str(output.training / "tensorboard")))


def _freeze(model: Any, what: str) -> None:
    if what == "embeddings":
        model.get_input_embeddings().requires_grad_(False)
    elif what == "body":
        model.base_model.requires_grad_(False)


def _measure(
    config: TrainConfig, trainer: RowTrainer, held_out: Rows, examples: Examples
) -> tuple[dict[str, float], Calibration, dict[str, float]]:
    """Return the figures before, what was folded in, and the figures after."""
    task = get_task(config.task)
    predictions = trainer.predict(held_out).predictions
    before = task.figures(predictions, held_out, examples)
    if "calibration" not in task.options:
        return before, Calibration(), before
    logits = np.asarray(predictions, dtype=np.float32)
    labels = torch.tensor(held_out.labels)
    outside = examples.labels.index(examples.out_of_scope) if examples.out_of_scope else None
    found = calibrate(trainer.model, torch.tensor(logits), labels, outside, config.calibration)
    changed = logits / found.temperature
    if outside is not None:
        changed[:, outside] += found.shift
    return before, found, task.figures(changed, held_out, examples)


def _best_epoch(trainer: RowTrainer) -> int:
    steps = trainer.state.best_global_step
    epochs = [each["epoch"] for each in trainer.state.log_history if each.get("step") == steps and "eval_loss" in each]
    return round(epochs[-1]) if epochs else 0
