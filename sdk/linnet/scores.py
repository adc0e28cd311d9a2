"""From logits to scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from linnet.errors import InvalidArgumentError
from linnet.runtime import FloatArray

__all__ = ["SCORE_FUNCTIONS", "apply_scores", "sigmoid", "softmax"]


def softmax(logits: FloatArray) -> FloatArray:
    """Return exp(x) / sum(exp(x)) over the last axis; shifted by the maximum, so nothing overflows."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) for each element; the exponent is never positive, so nothing overflows."""
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1.0 / (1.0 + small), small / (1.0 + small)), dtype=np.float32)


def _unchanged(logits: FloatArray) -> FloatArray:
    return logits


SCORE_FUNCTIONS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
    "none": _unchanged,
}


def apply_scores(name: str, logits: FloatArray) -> FloatArray:
    """Apply a score function by name.

    Raises:
        InvalidArgumentError: there is no such function.
    """
    if name not in SCORE_FUNCTIONS:
        known = ", ".join(SCORE_FUNCTIONS)
        raise InvalidArgumentError(f"function_to_apply is {name!r}, needed one of {known}")
    return SCORE_FUNCTIONS[name](logits)
