"""A training as an object: load, prune, ask the teacher, train, calibrate, save."""

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

from linnet.errors import InvalidArgumentError, NoSpaceError
from linnet_export.checkpoint.sentence_modules import read_sentence_modules
from linnet_export.checkpoint.source import resolve_source
from linnet_export.progress import Stages
from linnet_export.quantize.recipes import get_recipe
from linnet_train.callbacks import EpochLog, SaveSteps, ShowProgress, StopEarly
from linnet_train.checkpoints import last_complete
from linnet_train.config import OptimizerConfig, TrainConfig
from linnet_train.data.augmentation import augment
from linnet_train.data.batches import NO_LABEL, Rows, encode, text_pairs
from linnet_train.data.rows import Example, Examples
from linnet_train.distill.teacher import ask_teacher
from linnet_train.distill.transfer import load_teacher, remove_projection, with_teacher
from linnet_train.output import find_output, prepare_output
from linnet_train.progress import TrainListener
from linnet_train.prune import shrink
from linnet_train.report import RIGHT_SCORE, Confusion, TrainReport
from linnet_train.step_plan import StepPlan, advice, plan_steps
from linnet_train.tasks.base import Step, TrainingTask, known_figures
from linnet_train.techniques.adapters import add_adapters, merge_adapters, trained_parameters
from linnet_train.techniques.adversarial import with_adversary
from linnet_train.techniques.averaging import AVERAGING, add_averaging_layer
from linnet_train.techniques.calibration import Calibration, calibrate
from linnet_train.techniques.linear_probe import fit_last_layer
from linnet_train.techniques.quantization_aware import insert_fake_quantization, remove_fake_quantization
from linnet_train.trainer import RowTrainer, training_arguments

__all__ = ["Training"]

_IMPORTANCE_ROWS = 1024
"""Rows on which the importance of neurons is measured; more change the order little."""
_AVERAGED_ROWS = 2_000
"""With as many rows, the first token learns what the mean of all says, and no layer more is needed."""
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
class _Figures:
    """Figures on the held-out rows.

    Attributes:
        start: after shrinking and before training; empty where nothing was trained before.
        trained: after training.
        calibration: what was folded in then.
        final: of what is saved.
        confusions: of what is saved.
    """

    start: Mapping[str, float]
    trained: Mapping[str, float]
    calibration: Calibration
    final: Mapping[str, float]
    confusions: tuple[Confusion, ...]


class Training:
    """One training, from rows that were read to a saved checkpoint.

    :meth:`run` calls the steps in their order. What is the same for all of them (settings, task, rows, output) is
    held here; what a step makes goes to the next one as an argument.

    Args:
        config: of the training.
        task: that it names.
        examples: the rows.
        stages: the clock; reading the rows was the first stage.
        listener: is told about the progress.

    Raises:
        InvalidArgumentError: the held-out rows cannot have the metric, or processes cannot share a batch.
        TrainingExistsError: the output is taken.
    """

    def __init__(
        self, config: TrainConfig, task: TrainingTask, examples: Examples, stages: Stages, listener: TrainListener
    ) -> None:
        task.check_metric(config, examples)
        self._config = config
        self._task = task
        self._examples = examples
        self._stages = stages
        self._listener = listener
        self._processes = PartialState(cpu=not torch.cuda.is_available())
        size, count = config.optimizer.batch_size, self._processes.num_processes
        if size is not None and size % count:
            raise InvalidArgumentError(
                f"batch_size is {size}, expected a multiple of the {count} processes that share it"
            )
        self._is_first: bool = self._processes.is_main_process
        with self._processes.main_process_first():
            # what the first process made, the others find
            self._output = prepare_output(config) if self._is_first else find_output(config)

    def run(self) -> TrainReport:
        """Train and save; return the report, that of a training which was finished before included."""
        if self._output.report is not None:
            return self._output.report
        try:
            return self._run()
        except NoSpaceError:
            if self._is_first:
                self._output.let_same_command_go_on()
            raise

    def _run(self) -> TrainReport:
        stage, first = self._stages.stage, self._is_first
        with stage("checkpoint"):
            prepared = self._prepare()
            if first:
                self._output.keep_rows(self._examples, self._task, prepared.tokenizer)
        asked = stage("teacher") if self._config.distillation else contextlib.nullcontext()
        with asked, self._processes.main_process_first():
            rows = self._training_rows(prepared.tokenizer)
            step = self._step(prepared, rows)
        held_out = self._task.encode(self._examples.validation, self._examples, prepared.tokenizer, self._config)
        plan = plan_steps(self._config.optimizer, len(rows), self._processes.num_processes)
        with stage("train"):
            trainer = self._trainer(plan, step, prepared, rows, held_out)
            start = self._figures_before(trainer, prepared, held_out)
            if first:
                self._output.begin(self._config)
            trained_weights = self._learn(trainer)
        with stage("calibrate"):
            figures = self._calibrate(trainer, held_out, start)
        remove_fake_quantization(prepared.model, prepared.exact)
        report = self._report(prepared, trainer, plan, figures, (len(rows), len(held_out), trained_weights))
        if first:
            self._output.finish(prepared.model, prepared.tokenizer, report, self._config, self._task)
        return report

    def _prepare(self) -> _Prepared:
        """Load the checkpoint, shrink it, and give it adapters or rounding."""
        config, examples = self._config, self._examples
        transformers.set_seed(config.seed)
        loaded = self._task.load(config.model, examples, config)
        texts = [part for example in examples.train for part in (example.text, example.pair) if part is not None]
        model, tokenizer, steps = shrink(
            loaded.model, loaded.tokenizer, config.shrink, texts, self._importance_batches, self._stages.detail,
            self._importance_loss(),
        )  # fmt: skip
        if self._averages(model, new_head=loaded.new_head):
            steps = [*steps, add_averaging_layer(model)]
            if config.optimizer.objective == "classes":
                self._stages.detail("last layer")
                fit_last_layer(model, self._batches(examples.train, tokenizer))
        if config.adapters is not None:
            steps = [*steps, add_adapters(model, config.adapters)]
        exact: dict[str, nn.Module] = {}
        if config.quantize_aware is not None:
            exact = insert_fake_quantization(model, get_recipe(config.quantize_aware))
        return _Prepared(model=model, tokenizer=tokenizer, steps=steps, new_head=loaded.new_head, exact=exact)

    def _averages(self, model: Any, *, new_head: bool) -> bool:
        """Whether the last layer is to read the mean of all tokens; see :attr:`TrainConfig.pooling`."""
        config = self._config
        if config.pooling != "auto" or self._task.name != "text-classification":
            return config.pooling == "mean"
        suits = new_head and config.distillation is None and model.config.model_type in AVERAGING
        if not suits or len(self._examples.train) >= _AVERAGED_ROWS:
            return False
        sentence = read_sentence_modules(resolve_source(config.model, None).directory)
        return sentence is not None and sentence.pooling == "mean"

    def _importance_batches(self, tokenizer: Any) -> list[dict[str, Any]]:
        every = max(1, len(self._examples.train) // _IMPORTANCE_ROWS)
        return self._batches(self._examples.train[::every], tokenizer)

    def _batches(self, examples: Sequence[Example], tokenizer: Any) -> list[dict[str, Any]]:
        rows = self._task.encode(examples, self._examples, tokenizer, self._config)
        collate = self._task.collator(tokenizer.pad_token_id)
        starts = range(0, len(rows), 64)
        return [collate([rows[place] for place in range(start, min(start + 64, len(rows)))]) for start in starts]

    def _importance_loss(self) -> Callable[[Any, dict[str, Tensor]], Tensor]:
        plain = dataclasses.replace(self._config, optimizer=OptimizerConfig(), distillation=None)
        step = self._task.step(plain, Rows([], []), self._examples)
        return lambda model, batch: step(model, batch)[0]

    def _training_rows(self, tokenizer: Any) -> Rows:
        """Encode the rows; with a teacher that is asked once for all of them, with its answers."""
        config, examples = self._config, self._examples
        rows = self._task.encode(examples.train, examples, tokenizer, config)
        if config.distillation is None or self._task.teacher_beside:
            return rows
        made: list[tuple[str, str | None]] = []
        if config.distillation.augmentation and all(example.pair is None for example in examples.train):
            words = augment([example.text for example in examples.train], config.distillation.augmentation, config.seed)
            made = [(text, None) for text in words]
        answers = ask_teacher(
            config.distillation, examples.labels, [*text_pairs(examples.train), *made], config.max_length,
            self._output.teacher, self._stages.detail, bfloat16=config.optimizer.precision == "bf16",
        )  # fmt: skip
        inputs = [*rows.inputs, *encode(tokenizer, made, config.max_length)] if made else rows.inputs
        return Rows(inputs, [*rows.labels, *[NO_LABEL] * len(made)], answers)

    def _step(self, prepared: _Prepared, rows: Rows) -> Step:
        """Return what computes the loss: the task's, perhaps with a teacher beside it, perhaps on harder texts too."""
        config = self._config
        step = self._task.step(config, rows, self._examples)
        if config.distillation is not None and (self._task.teacher_beside or config.distillation.transfers):
            teacher = load_teacher(config, self._task, self._examples, prepared.model, prepared.tokenizer)
            step = with_teacher(step, teacher)
        return with_adversary(step, config.optimizer.adversarial)

    def _trainer(self, plan: StepPlan, step: Step, prepared: _Prepared, rows: Rows, held_out: Rows) -> RowTrainer:
        config, task = self._config, self._task
        _freeze(prepared.model, config.optimizer.freeze)
        settings = dataclasses.replace(config, metric=task.chooses(config, self._examples))
        trainer = RowTrainer(
            step,
            config.seed,
            by_class=config.optimizer.objective == "contrast",
            model=prepared.model,
            args=training_arguments(settings, plan, self._output.checkpoints, self._processes.num_processes),
            train_dataset=rows,
            eval_dataset=held_out,
            data_collator=task.collator(prepared.tokenizer.pad_token_id),
            compute_metrics=lambda evaluation: task.figures(evaluation.predictions, held_out, self._examples),
            callbacks=self._callbacks(),
        )
        trainer.remove_callback(transformers.PrinterCallback)
        return trainer

    def _callbacks(self) -> list[Any]:
        config = self._config
        callbacks: list[Any] = [ShowProgress(self._listener), EpochLog(self._output.log)]
        if config.save_steps:
            callbacks.append(SaveSteps(config.save_steps))
        if config.early_stopping != 0 and config.optimizer.objective != "contrast":
            callbacks.append(StopEarly(config.early_stopping, self._task.chooses(config, self._examples)))
        if importlib.util.find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter
            from transformers.integrations.integration_utils import TensorBoardCallback

            callbacks.append(TensorBoardCallback(SummaryWriter(log_dir=str(self._output.training / "tensorboard"))))
        return callbacks

    def _figures_before(self, trainer: RowTrainer, prepared: _Prepared, held_out: Rows) -> dict[str, float]:
        """Measure what was shrunk before it is trained; a new head has nothing to measure."""
        if not self._config.shrink.changes_anything or prepared.new_head:
            return {}
        return known_figures(trainer.predict(held_out).metrics or {}, "test_", self._task.metrics)

    def _learn(self, trainer: RowTrainer) -> int:
        """Train, or go on with it; return how many weights were trained."""
        model: Any = trainer.model
        transformers.set_seed(self._config.seed)
        with self._processes.main_process_first():
            resumed = last_complete(self._output.checkpoints)
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
        remove_projection(model)
        count = trained_parameters(model)
        if self._config.adapters is not None:
            merge_adapters(model)
        return count

    def _calibrate(self, trainer: RowTrainer, held_out: Rows, start: Mapping[str, float]) -> _Figures:
        """Measure, fold temperature and shift into the last layer, and measure that."""
        task, examples = self._task, self._examples
        predictions = trainer.predict(held_out).predictions
        before = task.figures(predictions, held_out, examples)
        if "calibration" not in task.description.settings:
            confusions = task.confusions(predictions, held_out, examples)
            return _Figures(start=start, trained=before, calibration=Calibration(), final=before, confusions=confusions)
        logits = np.asarray(predictions, dtype=np.float32)
        labels = torch.tensor(held_out.labels)
        outside = examples.labels.index(examples.out_of_scope) if examples.out_of_scope else None
        calibration = calibrate(trainer.model, torch.tensor(logits), labels, outside, self._config.calibration)
        changed = logits / calibration.temperature
        if outside is not None:
            changed[:, outside] += calibration.shift
        final = task.figures(changed, held_out, examples)
        confusions = task.confusions(changed, held_out, examples)
        return _Figures(start=start, trained=before, calibration=calibration, final=final, confusions=confusions)

    def _report(
        self,
        prepared: _Prepared,
        trainer: RowTrainer,
        plan: StepPlan,
        figures: _Figures,
        counts: tuple[int, int, int],
    ) -> TrainReport:
        rows, held_out, trained_weights = counts
        contrast = self._config.optimizer.objective == "contrast"
        notes = (_UNTRAINED_HEAD,) if contrast else _stopping(plan, trainer)
        return TrainReport(
            output=self._output.directory,
            task=self._task.name,
            labels=len(self._examples.labels),
            rows=rows,
            held_out=held_out,
            parameters=sum(parameter.numel() for parameter in prepared.model.parameters()),
            trained_parameters=trained_weights,
            epochs=round(trainer.state.epoch or 0),
            planned_epochs=plan.epochs,
            best_epoch=_best_epoch(trainer),
            shrunk=tuple(prepared.steps),
            start=figures.start,
            before_calibration=figures.trained,
            figures=figures.final,
            temperature=figures.calibration.temperature,
            out_of_scope_shift=figures.calibration.shift,
            out_of_scope=self._examples.out_of_scope,
            seconds={name: round(value, 1) for name, value in self._stages.seconds.items()},
            notes=(*self._examples.notes, *notes),
            warnings=() if contrast else self._advice(plan, trainer, rows, figures.final),
            batch_size=plan.batch_size,
            learning_rate=plan.learning_rate,
            steps=int(trainer.state.global_step),
            chosen_by="" if contrast else self._task.chooses(self._config, self._examples),
            confusions=figures.confusions,
        )

    def _advice(self, plan: StepPlan, trainer: RowTrainer, rows: int, figures: Mapping[str, float]) -> tuple[str, ...]:
        """Return what to change if the training ended too early."""
        optimizer = dataclasses.replace(self._config.optimizer, epochs=None, batch_size=None, learning_rate=None)
        usual = plan_steps(optimizer, rows, self._processes.num_processes)
        losses = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
        score = figures.get(RIGHT_SCORE)
        return advice(plan, usual, losses, 0 if score is None else len(self._examples.labels), score)


def _freeze(model: Any, what: str) -> None:
    if what == "embeddings":
        model.get_input_embeddings().requires_grad_(False)
    elif what == "body":
        model.base_model.requires_grad_(False)


def _stopping(plan: StepPlan, trainer: RowTrainer) -> tuple[str, ...]:
    """Return the note about a training that ended before its last epoch."""
    epochs = round(trainer.state.epoch or 0)
    if epochs >= plan.epochs:
        return ()
    return (
        f"stopped after epoch {epochs} of {plan.epochs}, as the held-out rows got no better; "
        "--early-stopping-patience 0 trains to the end",
    )


def _best_epoch(trainer: RowTrainer) -> int:
    steps = trainer.state.best_global_step
    epochs = [
        entry["epoch"] for entry in trainer.state.log_history if entry.get("step") == steps and "eval_loss" in entry
    ]
    return round(epochs[-1]) if epochs else 0
