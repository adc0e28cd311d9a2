"""What is measured on held-out rows, from logits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from linnet_bench.accuracy import metrics

__all__ = ["classification_figures"]


def classification_figures(
    logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], names: Sequence[str], out_of_scope: str | None
) -> dict[str, float]:
    """Return accuracy and macro_f1; with an out-of-scope label what `linnet eval` shows beside them too.

    Args:
        logits: float32 [rows, classes].
        labels: int64 [rows].
        names: of the classes.
        out_of_scope: label of requests that belong to no class, or None.
    """
    found = logits.argmax(axis=1)
    figures = {
        "accuracy": metrics.accuracy(labels.tolist(), found.tolist()),
        "macro_f1": metrics.macro_f1(labels.tolist(), found.tolist()),
    }
    if out_of_scope is None:
        return figures
    expected = [names[each] for each in labels]
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = shifted / shifted.sum(axis=1, keepdims=True)
    inside = [place for place, name in enumerate(names) if name != out_of_scope]
    return figures | metrics.out_of_scope_scores(
        expected, [names[each] for each in found], scores[:, inside].max(axis=1).tolist(), out_of_scope
    )
