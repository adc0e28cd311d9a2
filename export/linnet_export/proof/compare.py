"""Accuracy figures of a program compared with its original: errors, cosines, agreement of answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from linnet.choosing import log_softmax
from linnet_export.proof.reference import Reference
from linnet_export.tasks import Task
from linnet_export.tasks.base import Outputs

__all__ = ["Comparison", "compare"]

FloatArray = npt.NDArray[np.float32]
Rule = Callable[[Outputs, npt.NDArray[np.bool_]], npt.NDArray[Any]]
"""Function that turns outputs into answers; see :meth:`linnet_export.tasks.Task.answers`."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Result of comparing a program with its original.

    Attributes:
        figures: figures by name: `max_error`, `mean_error`, and those of the task.
        wrongness: float64 [texts], a value for sorting the texts; larger is worse, 0 is an equal output.
        errors: float64 [texts], the largest error of the outputs of each text.
    """

    figures: dict[str, float]
    wrongness: npt.NDArray[np.float64]
    errors: npt.NDArray[np.float64]


def compare(task: Task, multi_label: bool, references: Sequence[Reference], measured: Sequence[Outputs]) -> Comparison:
    """Compare the outputs of the program with those of the original for each text.

    Args:
        task: the task, which turns outputs into answers.
        multi_label: True if the scores are independent (sigmoid over several labels).
        references: outputs of the original.
        measured: outputs of the program, in the same order and with the same shapes.
    """
    errors = np.array([_error(left.outputs, right) for left, right in zip(references, measured, strict=True)])
    figures = {"max_error": float(errors.max()), "mean_error": float(errors.mean())}
    if task.generates:
        own, wrongness = _next_tokens(references, measured)
    elif task.embeds:
        own, wrongness = _embeddings(references, measured)
    else:
        own, wrongness = _answers(task, multi_label, references, measured)
    # a small share of the error sorts texts with equal answers
    return Comparison({**figures, **own}, wrongness + 1e-6 * errors, errors)


def _error(reference: Outputs, measured: Outputs) -> float:
    worst = 0.0
    for name, expected in reference.items():
        if not expected.size:
            continue
        scale = max(1.0, float(np.abs(expected).max()))
        difference = np.abs(expected.astype(np.float64) - measured[name])
        worst = max(worst, float(difference.max()) / scale if np.isfinite(difference).all() else np.inf)
    return worst


def _embeddings(
    references: Sequence[Reference], measured: Sequence[Outputs]
) -> tuple[dict[str, float], npt.NDArray[np.float64]]:
    cosines = np.array(
        [
            min(_cosines(next(iter(left.outputs.values())), next(iter(right.values()))))
            for left, right in zip(references, measured, strict=True)
        ]
    )
    return {"cosine_mean": float(cosines.mean()), "cosine_worst": float(cosines.min())}, 1.0 - cosines


def _next_tokens(
    references: Sequence[Reference], measured: Sequence[Outputs]
) -> tuple[dict[str, float], npt.NDArray[np.float64]]:
    """Compare distributions of the next token behind every token but the last, and the perplexities of the texts."""
    losses, divergences, same, wrongness = [], [], [], []
    for reference, outputs in zip(references, measured, strict=True):
        left, right = log_softmax(reference.outputs["logits"]), log_softmax(outputs["logits"])
        following = reference.ids[1:]
        places = np.arange(len(following))
        losses.append(np.stack([left[places, following], right[places, following]], 1))
        divergence = (np.exp(left) * (left - right)).sum(axis=1)
        divergences.append(divergence)
        same.append(left.argmax(axis=1) == right.argmax(axis=1))
        wrongness.append(divergence.mean())
    original, own = np.exp(-np.concatenate(losses).mean(axis=0)).tolist()
    figures = {
        "perplexity": own,
        "original_perplexity": original,
        "perplexity_ratio": own / original,
        "kl_mean": float(np.concatenate(divergences).mean()),
        "agreement": float(np.concatenate(same).mean()),
    }
    return figures, np.array(wrongness)


def _cosines(left: FloatArray, right: FloatArray) -> npt.NDArray[np.float64]:
    a, b = np.atleast_2d(left).astype(np.float64), np.atleast_2d(right).astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    # 1e-30 avoids a division by zero for a zero vector
    return np.asarray((a * b).sum(axis=1) / np.maximum(lengths, 1e-30))


def _answers(
    task: Task, multi_label: bool, references: Sequence[Reference], measured: Sequence[Outputs]
) -> tuple[dict[str, float], npt.NDArray[np.float64]]:
    if next(iter(references[0].outputs.values())).shape == (1,):
        return _order(references, measured)
    rule: Rule = _label_set if multi_label else task.answers
    same = [
        rule(left.outputs, left.answerable) == rule(right, left.answerable)
        for left, right in zip(references, measured, strict=True)
    ]
    shares = np.array([np.mean(np.asarray(equal)) if np.size(equal) else 1.0 for equal in same])
    weights = np.array([np.size(equal) for equal in same])
    return {"agreement": float((shares * weights).sum() / max(1, weights.sum()))}, 1.0 - shares


def _order(
    references: Sequence[Reference], measured: Sequence[Outputs]
) -> tuple[dict[str, float], npt.NDArray[np.float64]]:
    """Return the share of pairs of texts that have the same order, for programs with one score per text."""
    left = np.array([reference.outputs["logits"][0] for reference in references], dtype=np.float64)
    right = np.array([outputs["logits"][0] for outputs in measured], dtype=np.float64)
    same = np.sign(left[:, None] - left) == np.sign(right[:, None] - right)
    np.fill_diagonal(same, True)
    upper = same[np.triu_indices(len(left), 1)]
    return {"agreement": float(upper.mean())}, 1.0 - same.mean(axis=1)


def _label_set(outputs: Outputs, _: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    # the answer is the whole set of labels, compared as one string of 0 and 1
    return np.array(["".join("1" if on else "0" for on in outputs["logits"] > 0)])
