"""Accuracy budget: limits on the difference between a program and its original."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from linnet_export.tasks import Task

__all__ = ["Budget", "default_budget"]


@dataclasses.dataclass(frozen=True)
class Budget:
    """Limits of the figures of a proof; a limit of None does not apply.

    Attributes:
        max_error: upper limit of the absolute difference, divided by the largest value of the original if that
            is above 1.
        cosine_mean: lower limit of the mean cosine similarity of embeddings.
        cosine_worst: lower limit of the cosine similarity of each text.
        agreement: lower limit of the share of equal answers, 0 to 1.
    """

    max_error: float | None = None
    cosine_mean: float | None = None
    cosine_worst: float | None = None
    agreement: float | None = None

    def violations(self, figures: Mapping[str, float]) -> list[str]:
        """Return the violated limits as sentences with the limit and the figure."""
        violations: list[str] = []
        for name, limit in dataclasses.asdict(self).items():
            if limit is None:
                continue
            if name not in figures:
                violations.append(f"{name} was not measured for this task")
            elif name == "max_error" and not figures[name] <= limit:
                violations.append(f"expected {name} of at most {limit:.3g}, got {figures[name]:.3g}")
            elif name != "max_error" and not figures[name] >= limit:
                violations.append(f"expected {name} of at least {limit:.4f}, got {figures[name]:.4f}")
        return violations


def default_budget(task: Task, exact: bool, changes: Mapping[str, float], weight_bits: int = 8) -> Budget:
    """Return the default limits for a task, with the changes of the user.

    Args:
        task: the task; embeddings have limits of their cosines, other answers of their agreement.
        exact: True if the recipe does not change the weights (fp32).
        changes: limits that replace the defaults.
        weight_bits: bits of most weights; below eight bits the limits are wider.
    """
    if exact:
        budget = Budget(max_error=1e-4)
    elif task.embeds:
        budget = (
            Budget(cosine_mean=0.99, cosine_worst=0.97)
            if weight_bits >= 8
            else Budget(cosine_mean=0.97, cosine_worst=0.92)
        )
    else:
        budget = Budget(agreement=0.98 if weight_bits >= 8 else 0.95)
    return dataclasses.replace(budget, **changes)
