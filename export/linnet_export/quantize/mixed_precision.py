"""Automatic mixed precision of an export, measured with the texts and figures of the proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from linnet.format.evidence import MixedPrecision
from linnet_export.checkpoint import Checkpoint
from linnet_export.config import QuantizationConfig
from linnet_export.errors import OverBudgetError
from linnet_export.graph.program import DeviceProgram
from linnet_export.proof.budget import Budget
from linnet_export.proof.compare import compare
from linnet_export.proof.reference import Reference, device_inputs, reference_outputs
from linnet_export.proof.texts import ProofText
from linnet_export.quantize.apply import summarize
from linnet_export.quantize.calibration import CalibrationTexts
from linnet_export.quantize.plan import make_plan, quantizable
from linnet_export.quantize.recipes import QuantizationSummary, Recipe
from linnet_export.quantize.sensitivity import Measured, mix_precisions

__all__ = ["quantize_within_budget"]

_QUICK_TEXTS = 24
"""Texts on which single layers are compared: their errors differ by factors, not by percents."""


def quantize_within_budget(
    methods: Sequence[DeviceProgram],
    recipe: Recipe,
    settings: QuantizationConfig,
    calibration: CalibrationTexts,
    checkpoint: Checkpoint,
    texts: Sequence[ProofText],
    budget: Budget,
    progress: Callable[[str], None],
) -> tuple[QuantizationSummary, MixedPrecision]:
    """Quantize a program in place, with as few layers in a higher precision as ``budget`` needs.

    Args:
        methods: `forward`, and `forward_fused` if the file will have it; they share their layers.
        recipe: precision of the layers that are not raised.
        settings: what differs from the recipe's own choices.
        calibration: inputs for calibration.
        checkpoint: the original.
        texts: of the proof.
        budget: limits that the answers of each method must keep.
        progress: called with a short description of each step.

    Raises:
        OverBudgetError: the budget does not hold with all linear layers in float32.
    """
    program = methods[0]
    originals = dict(quantizable(program))
    plan = make_plan(program, recipe, settings)
    measure = _ProofMeasure(checkpoint, methods, texts, budget, progress)
    mixed, chosen = mix_precisions(program, plan, settings, calibration, measure, progress)
    if not mixed.within:
        broken = "; ".join(budget.violations(mixed.curve[-1].figures))
        raise OverBudgetError(
            f"over budget with every linear layer in float32, nothing was delivered: {broken}; choose a higher "
            "--embedding, fewer --keep, or change the limits with --budget NAME=VALUE",
            [],
        )
    return summarize(recipe, program, chosen, originals), mixed


class _ProofMeasure:
    def __init__(
        self,
        checkpoint: Checkpoint,
        methods: Sequence[DeviceProgram],
        texts: Sequence[ProofText],
        budget: Budget,
        progress: Callable[[str], None],
    ) -> None:
        self._task = checkpoint.task
        self._multi_label = checkpoint.score_function == "sigmoid" and len(checkpoint.labels) > 1
        self._methods = methods  # forward, and forward_fused if the file will have it
        self._budget = budget
        self._inputs = device_inputs(checkpoint, texts, methods[0].inputs)
        self._references = reference_outputs(
            checkpoint, texts, lambda done: progress(f"original: text {done} of {len(texts)}")
        )

    def __call__(self, *, quick: bool) -> Measured:
        chosen = range(0, len(self._inputs), max(1, len(self._inputs) // _QUICK_TEXTS) if quick else 1)
        references = [self._references[index] for index in chosen]
        answers = self._answers(self._methods[0], chosen)
        figures = compare(self._task, self._multi_label, references, answers).figures
        within = not self._budget.violations(figures) and (quick or self._others_within(references, chosen))
        return Measured(_relative_error(references, answers), figures, within)

    def _others_within(self, references: Sequence[Reference], chosen: range) -> bool:
        """Attention in int8 errs a little too: what `forward` just keeps, `forward_fused` may exceed."""
        others = (self._answers(method, chosen) for method in self._methods[1:])
        figures = (compare(self._task, self._multi_label, references, answers).figures for answers in others)
        return not any(self._budget.violations(figure) for figure in figures)

    def _answers(self, method: DeviceProgram, chosen: range) -> list[dict[str, np.ndarray]]:
        with torch.inference_mode():
            return [
                self._named(method.outputs, method(*self._inputs[index]), self._references[index]) for index in chosen
            ]

    def _named(self, outputs: Sequence[str], values: tuple[Tensor, ...], reference: Reference) -> dict[str, np.ndarray]:
        named = {name: value[0].numpy() for name, value in zip(outputs, values, strict=True)}
        if self._task.fills_masks:
            return {name: rows[reference.answerable] for name, rows in named.items()}
        return named


def _relative_error(references: Sequence[Reference], answers: Sequence[dict[str, np.ndarray]]) -> float:
    squares, total = 0.0, 0.0
    for reference, answer in zip(references, answers, strict=True):
        for name, expected in reference.outputs.items():
            squares += float(np.square(expected.astype(np.float64) - answer[name]).sum())
            total += float(np.square(expected.astype(np.float64)).sum())
    return float(np.sqrt(squares / max(total, 1e-30)))
