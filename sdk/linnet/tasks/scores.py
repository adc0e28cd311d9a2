"""Softmax and sigmoid by the C++ core, so that all language bindings give the same scores."""

from __future__ import annotations

from linnet.errors import InvalidArgumentError
from linnet.runtime import FloatArray, core

__all__ = ["SCORE_FUNCTIONS", "apply_scores", "sigmoid", "softmax"]

SCORE_FUNCTIONS: tuple[str, ...] = ("softmax", "sigmoid", "none")
"""Names of score functions, as in Hugging Face pipelines."""


def softmax(logits: FloatArray) -> FloatArray:
    """Return exp(x) / sum(exp(x)) over the last axis; x is shifted by its maximum to avoid overflow."""
    return apply_scores("softmax", logits)


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) for each element; the exponent is never positive, to avoid overflow."""
    return apply_scores("sigmoid", logits)


def apply_scores(name: str, logits: FloatArray) -> FloatArray:
    """Apply a score function by name along the last axis.

    Raises:
        InvalidArgumentError: there is no score function of that name.
    """
    import numpy as np

    if name not in SCORE_FUNCTIONS:
        known = ", ".join(SCORE_FUNCTIONS)
        raise InvalidArgumentError(f"function_to_apply is {name!r}, expected one of {known}")
    return np.asarray(core().apply_scores(name, np.asarray(logits, dtype=np.float32)), dtype=np.float32)
