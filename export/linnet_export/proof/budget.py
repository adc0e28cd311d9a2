"""Accuracy budget: limits on the difference between a program and its original."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from linnet_export.config import UPPER_LIMITS
from linnet_export.tasks import Task

__all__ = ["Budget", "default_budget"]

_GENERATION = {
    8: {"perplexity_ratio": 1.1, "kl_mean": 0.1, "agreement": 0.8},
    4: {"perplexity_ratio": 1.5, "kl_mean": 0.5, "agreement": 0.6},
}
"""Limits of decoders by the bits of most weights. SmolLM2-135M-Instruct in int8 has a ratio of 1.05, a divergence of
0.053 and an agreement of 0.86 on the built-in texts, short ones of several languages."""


@dataclasses.dataclass(frozen=True)
class Budget:
    """Limits of the figures of a proof; a limit of None does not apply.

    Attributes:
        max_error: upper limit of the absolute difference, divided by the largest value of the original if that
            is above 1.
        cosine_mean: lower limit of the mean cosine similarity of embeddings.
        cosine_worst: lower limit of the cosine similarity of each text.
        agreement: lower limit of the share of equal answers, 0 to 1; for a decoder of equal likeliest next tokens.
        perplexity_ratio: upper limit of a decoder's perplexity, divided by that of the original.
        kl_mean: upper limit of the mean Kullback-Leibler divergence of the next token from the original, in nats.
    """

    max_error: float | None = None
    cosine_mean: float | None = None
    cosine_worst: float | None = None
    agreement: float | None = None
    perplexity_ratio: float | None = None
    kl_mean: float | None = None

    def violations(self, figures: Mapping[str, float]) -> list[str]:
        """Return the violated limits as sentences with the limit and the figure."""
        violations: list[str] = []
        for name, limit in dataclasses.asdict(self).items():
            if limit is None:
                continue
            if name not in figures:
                violations.append(f"{name} was not measured for this task")
            elif name in UPPER_LIMITS and not figures[name] <= limit:
                violations.append(f"expected {name} of at most {limit:.3g}, got {figures[name]:.3g}")
            elif name not in UPPER_LIMITS and not figures[name] >= limit:
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
    elif task.generates:
        budget = Budget(**_GENERATION[8 if weight_bits >= 8 else 4])
    elif task.embeds:
        budget = (
            Budget(cosine_mean=0.99, cosine_worst=0.97)
            if weight_bits >= 8
            else Budget(cosine_mean=0.97, cosine_worst=0.92)
        )
    else:
        budget = Budget(agreement=0.98 if weight_bits >= 8 else 0.95)
    return dataclasses.replace(budget, **changes)
