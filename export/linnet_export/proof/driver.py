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
from linnet_export.proof.device import FORWARD, FUSED, SEVEN_BITS, Method, run_on_device
from linnet_export.proof.reference import Reference, reference_outputs
from linnet_export.proof.texts import ProofText, read_texts, select_texts

__all__ = ["choose_calibration", "choose_texts", "prove", "proven_methods", "unproven"]

_WORST_SHOWN = 10

# CPUs add in different orders; with int8 activations a value can then round to the next step
_EXACT_TOLERANCE = 1e-3
_QUANTIZED_TOLERANCE = 2e-2


def unproven(reason: str) -> Evidence:
    """Return the evidence of an unproven file."""
    return Evidence(status="unproven", reason=reason, proof={"texts": 0}, worst=())


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
    if checkpoint.task.generates:  # of one token alone nothing can be foretold
        texts = [text for text in texts if len(checkpoint.tokenizer.encode(text.text)) > 1]
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
        fused: True if the file has ``forward_fused``, which is then compared too, with activations of 8 and of 7
            bits. The file may be over its limits with 7 bits; the evidence then says that only 8 are proven.

    Returns:
        The evidence with all results of the proof.

    Raises:
        OverBudgetError: a figure is over its limit, or the tokenizers give different tokens; the message has the
            figures.
        ProofError: the torch-free process failed.
    """
    references = reference_outputs(checkpoint, texts, lambda done: progress(f"original: text {done} of {len(texts)}"))
    multi_label = checkpoint.score_function == "sigmoid" and len(checkpoint.labels) > 1

    def compared(method: Method) -> _Compared:
        progress(f"the written file, without PyTorch: {method.name}")
        with tempfile.TemporaryDirectory(prefix="linnet-proof-") as directory:
            run = run_on_device(path, texts, Path(directory), method)
        measured = _matched(references, run.answers, texts)
        return _Compared(method, run.golden, compare(checkpoint.task, multi_label, references, measured))

    # linnet runs a decoder by forward_fused on every processor: `forward` is for other runtimes
    generates = checkpoint.task.generates
    forward = compared(FUSED if generates else FORWARD)
    forward.check(budget, texts)
    evidence = Evidence(
        status="proven",
        budget={name: limit for name, limit in dataclasses.asdict(budget).items() if limit is not None},
        proof={"texts": len(texts), **forward.comparison.figures},
        worst=_worst(forward.comparison, texts),
        golden=forward.golden,
        tolerance=Tolerance(_EXACT_TOLERANCE if budget.max_error is not None else _QUANTIZED_TOLERANCE),
    )
    if not fused:
        return evidence
    eight_bits = forward if generates else compared(FUSED)
    eight_bits.check(budget, texts)
    return _with_fused(evidence, eight_bits, compared(SEVEN_BITS), budget)


def proven_methods(evidence: Evidence) -> tuple[Method, ...]:
    """Return the methods of a proven file of an encoder, with the activations that its proof allows."""
    if not evidence.has_forward_fused:
        return (FORWARD,)
    return (FORWARD, FUSED, SEVEN_BITS) if evidence.activation_bits == 7 else (FORWARD, FUSED)


@dataclasses.dataclass(frozen=True)
class _Compared:
    """One method's outputs beside those of the original."""

    method: Method
    golden: tuple[GoldenCase, ...]
    comparison: Comparison

    def check(self, budget: Budget, texts: Sequence[ProofText]) -> None:
        violations = budget.violations(self.comparison.figures)
        if violations:
            where = "" if self.method is FORWARD else f"{self.method.name}: "
            raise OverBudgetError(
                f"over budget, nothing was delivered: {where}{'; '.join(violations)}; "
                "choose another recipe, or change the limits with --budget NAME=VALUE",
                _worst(self.comparison, texts),
            )


def _with_fused(evidence: Evidence, eight_bits: _Compared, seven_bits: _Compared, budget: Budget) -> Evidence:
    """Add ``forward_fused``. Over the budget with 7 bits, the file stays with 8: no processor needs the fewer ones."""
    proven = not budget.violations(seven_bits.comparison.figures)
    # all runs recorded the cases in the same order
    cases = zip(evidence.golden, eight_bits.golden, seven_bits.golden, strict=True)
    golden = [
        dataclasses.replace(case, output_fused=eight.output, output_seven_bits=seven.output if proven else None)
        for case, eight, seven in cases
    ]
    return dataclasses.replace(
        evidence,
        proof_fused=dict(eight_bits.comparison.figures),
        proof_seven_bits=dict(seven_bits.comparison.figures),
        activation_bits=7 if proven else 8,
        golden=tuple(golden),
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
