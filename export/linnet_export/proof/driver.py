"""Driver of the proof: runs the original here, and the exported file in a fresh process without PyTorch."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linnet.format.evidence import Evidence, GoldenCase, Tolerance, WorstText
from linnet.replay import Replayed
from linnet_export.checkpoint import Checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import OverBudgetError
from linnet_export.proof.budget import Budget
from linnet_export.proof.compare import Comparison, compare
from linnet_export.proof.device import DeviceRun, run_on_device
from linnet_export.proof.reference import Reference, reference_outputs
from linnet_export.proof.texts import ProofText, read_texts, select_texts

__all__ = ["choose_calibration", "choose_texts", "prove", "unproven"]

_WORST_SHOWN = 10

# CPUs add in different orders; with int8 activations a value can then round to the next step
_EXACT_TOLERANCE = 1e-3
_QUANTIZED_TOLERANCE = 2e-2


def unproven(reason: str) -> Evidence:
    """Return the evidence of an unproven file."""
    return Evidence(status="unproven", reason=reason, proof={"texts": 0}, worst=())


def _of_both_methods(golden: Sequence[GoldenCase], fused: Sequence[GoldenCase]) -> tuple[GoldenCase, ...]:
    """Add the outputs of ``forward_fused`` to the golden cases; both runs recorded them in the same order."""
    pairs = zip(golden, fused, strict=True)
    return tuple(dataclasses.replace(case, output_fused=other.output) for case, other in pairs)


def choose_texts(config: ExportConfig, checkpoint: Checkpoint) -> list[ProofText]:
    """Return the texts of the proof; empty if the proof is switched off.

    Raises:
        ProofTextsError: the file of texts cannot be read, or too few of them fit the task.
    """
    return _fitting(read_texts(config.proof), checkpoint) if config.prove else []


def choose_calibration(config: ExportConfig, checkpoint: Checkpoint) -> list[ProofText]:
    """Return the texts for calibration: those of the user, else the built-in texts of the proof.

    For a task of single texts, a pair counts as two texts.

    Raises:
        ProofTextsError: the file of texts cannot be read, or too few of them fit the task.
    """
    texts = read_texts(config.calibration)
    if not checkpoint.takes_pairs:
        texts = [ProofText(part) for text in texts for part in (text.text, text.pair) if part is not None]
    return _fitting(texts, checkpoint)


def _fitting(texts: list[ProofText], checkpoint: Checkpoint) -> list[ProofText]:
    mask = checkpoint.special_tokens.get("mask", "")
    return select_texts(texts, checkpoint.task, mask, pairs=checkpoint.takes_pairs)


def prove(
    path: Path,
    checkpoint: Checkpoint,
    texts: Sequence[ProofText],
    budget: Budget,
    progress: Callable[[str], None],
    *,
    fused: bool = False,
) -> Evidence:
    """Compare an exported file with the original on texts.

    Args:
        path: the exported file.
        checkpoint: the original.
        texts: texts to run.
        budget: limits of the figures.
        progress: called with a description of each step.
        fused: True if the file has ``forward_fused``, which is then compared too.

    Returns:
        The evidence with all results of the proof.

    Raises:
        OverBudgetError: a figure is over its limit, or the tokenizers give different tokens; the message has the
            figures.
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
    return Evidence(
        status="proven",
        budget={name: limit for name, limit in dataclasses.asdict(budget).items() if limit is not None},
        proof={"texts": len(texts), **comparison.figures},
        proof_fused={} if fused_comparison is None else dict(fused_comparison.figures),
        worst=_worst(comparison, texts),
        golden=run.golden if fused_run is None else _of_both_methods(run.golden, fused_run.golden),
        tolerance=Tolerance(_EXACT_TOLERANCE if budget.max_error is not None else _QUANTIZED_TOLERANCE),
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
    """Return the outputs of the program, after checking that its tokens are those of the original."""
    for text, reference, answer in zip(texts, references, answers, strict=True):
        if answer.ids.tolist() != reference.ids.tolist():
            raise OverBudgetError(
                f"the device tokenizer gives other tokens than the original's for {text.text[:80]!r}: "
                f"{answer.ids.tolist()[:20]} instead of {reference.ids.tolist()[:20]}; nothing was delivered"
            )
    return [answer.outputs for answer in answers]


def _worst(comparison: Comparison, texts: Sequence[ProofText]) -> tuple[WorstText, ...]:
    order = np.argsort(-comparison.wrongness, kind="stable")[:_WORST_SHOWN]
    return tuple(
        WorstText(
            text=texts[i].text,
            pair=texts[i].pair,
            difference=float(comparison.wrongness[i]),
            error=float(comparison.errors[i]),
        )
        for i in order
    )
