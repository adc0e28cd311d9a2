"""Runs the proof: the original here, the written file in a fresh process that has no PyTorch."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linnet.format.golden import EVIDENCE_SCHEMA
from linnet.replay import Replayed
from linnet_export.checkpoint import Checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import OverBudgetError
from linnet_export.proof.budget import Budget
from linnet_export.proof.compare import Comparison, compare
from linnet_export.proof.device import DeviceRun, run_on_device
from linnet_export.proof.reference import Reference, reference_outputs
from linnet_export.proof.texts import ProofText, read_texts, select_texts

__all__ = ["Proof", "choose_calibration", "choose_texts", "prove"]

_WORST_SHOWN = 10

# another CPU sums in another order; with int8 activations one step of rounding can go the other way
_EXACT_TOLERANCE = 1e-3
_QUANTIZED_TOLERANCE = 2e-2


@dataclasses.dataclass(frozen=True)
class Proof:
    """What is known about a written program.

    Attributes:
        status: proven or unproven.
        reason: why it is unproven; empty if it is proven.
        limits: limits of the budget by name.
        figures: measured figures by name, of ``forward``.
        fused: the same of ``forward_fused``, if the file has it.
        texts: number of texts.
        worst: the texts that differ most, worst first.
        golden: recorded cases for `linnet verify`.
        tolerance: how far another machine may be from a golden case.
    """

    status: str
    reason: str = ""
    limits: Mapping[str, float] = dataclasses.field(default_factory=dict)
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    fused: Mapping[str, float] = dataclasses.field(default_factory=dict)
    texts: int = 0
    worst: Sequence[Mapping[str, Any]] = ()
    golden: Sequence[Mapping[str, Any]] = ()
    tolerance: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @classmethod
    def unproven(cls, reason: str) -> Proof:
        """Return the proof of a file that has none."""
        return cls("unproven", reason)

    def evidence(self) -> dict[str, Any]:
        """Return what the file's trailer keeps."""
        return {
            "schema": EVIDENCE_SCHEMA,
            "status": self.status,
            "reason": self.reason,
            "budget": dict(self.limits),
            "proof": {"texts": self.texts, **self.figures},
            "proof_fused": dict(self.fused),
            "worst": [dict(each) for each in self.worst],
            "golden": [dict(each) for each in self.golden],
            "tolerance": dict(self.tolerance),
        }


def _of_both_methods(
    golden: Sequence[Mapping[str, Any]], fused: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Put what ``forward_fused`` answered into the cases, which both runs recorded in the same order."""
    return [{**case, "output_fused": other["output"]} for case, other in zip(golden, fused, strict=True)]


def choose_texts(config: ExportConfig, checkpoint: Checkpoint) -> list[ProofText]:
    """Return the texts of the proof; none if it is switched off.

    Raises:
        ProofTextsError: the file of texts cannot be read or too few of them fit the task.
    """
    return _fitting(read_texts(config.proof), checkpoint) if config.prove else []


def choose_calibration(config: ExportConfig, checkpoint: Checkpoint) -> list[ProofText]:
    """Return the texts of the calibration: the user's, else those of the proof's built-in set.

    For a task of single texts a pair is two of them.

    Raises:
        ProofTextsError: the file of texts cannot be read or too few of them fit the task.
    """
    texts = read_texts(config.calibration)
    if not checkpoint.task.takes_pairs:
        texts = [ProofText(part) for each in texts for part in (each.text, each.pair) if part is not None]
    return _fitting(texts, checkpoint)


def _fitting(texts: list[ProofText], checkpoint: Checkpoint) -> list[ProofText]:
    return select_texts(texts, checkpoint.task, checkpoint.special_tokens.get("mask", ""))


def prove(
    path: Path,
    checkpoint: Checkpoint,
    texts: Sequence[ProofText],
    budget: Budget,
    progress: Callable[[str], None],
    *,
    fused: bool = False,
) -> Proof:
    """Compare the written file with the original on ``texts``; its ``forward_fused`` too, if it is ``fused``.

    Raises:
        OverBudgetError: a limit is broken; the message shows the figures and the worst texts.
        ProofError: the torch-free process failed.
    """
    references = reference_outputs(checkpoint, texts, lambda done: progress(f"original: text {done} of {len(texts)}"))
    multi_label = checkpoint.score_function == "sigmoid" and len(checkpoint.labels) > 1

    def compared(*, fused: bool) -> tuple[DeviceRun, Comparison]:
        progress("the written file, without PyTorch" + (": forward_fused" if fused else ""))
        with tempfile.TemporaryDirectory(prefix="linnet-proof-") as directory:
            run = run_on_device(path, texts, Path(directory), fused=fused)
        measured = _matched(references, run.answers, texts)
        comparison = compare(checkpoint.task, multi_label, references, measured)
        _check_budget(budget, comparison, texts, "forward_fused: " if fused else "")
        return run, comparison

    run, comparison = compared(fused=False)
    fused_run, fused_comparison = compared(fused=True) if fused else (None, None)
    return Proof(
        status="proven",
        limits={name: limit for name, limit in dataclasses.asdict(budget).items() if limit is not None},
        figures=comparison.figures,
        fused={} if fused_comparison is None else fused_comparison.figures,
        texts=len(texts),
        worst=_worst(comparison, texts),
        golden=run.golden if fused_run is None else _of_both_methods(run.golden, fused_run.golden),
        tolerance={"absolute": _EXACT_TOLERANCE if budget.max_error is not None else _QUANTIZED_TOLERANCE},
    )


def _check_budget(budget: Budget, comparison: Comparison, texts: Sequence[ProofText], method: str) -> None:
    violations = budget.violations(comparison.figures)
    if violations:
        raise OverBudgetError(
            f"over budget, nothing was delivered: {method}{'; '.join(violations)}; "
            "choose another recipe, or change the limits with --budget NAME=VALUE",
            _worst(comparison, texts),
        )


def _matched(
    references: Sequence[Reference], answers: Sequence[Replayed], texts: Sequence[ProofText]
) -> list[dict[str, Any]]:
    """Return the program's outputs; that it read the same tokens as the original is a condition."""
    for text, reference, answer in zip(texts, references, answers, strict=True):
        if answer.ids.tolist() != reference.ids.tolist():
            raise OverBudgetError(
                f"the device tokenizer gives other tokens than the original's for {text.text[:80]!r}: "
                f"{answer.ids.tolist()[:20]} instead of {reference.ids.tolist()[:20]}; nothing was delivered"
            )
    return [answer.outputs for answer in answers]


def _worst(comparison: Comparison, texts: Sequence[ProofText]) -> list[dict[str, Any]]:
    order = np.argsort(-comparison.wrongness, kind="stable")[:_WORST_SHOWN]
    return [
        {
            "text": texts[i].text,
            "pair": texts[i].pair,
            "difference": float(comparison.wrongness[i]),
            "error": float(comparison.errors[i]),
        }
        for i in order
    ]
