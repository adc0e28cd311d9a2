"""Temperature scaling and out-of-scope threshold, folded into the last layer.

Dividing logits by a temperature and raising one of them is the same as changing the weights of the last layer. So the
file needs no field for either, and every runtime, transformers' pipeline included, returns calibrated scores.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import Tensor, nn

from linnet_train.config import CalibrationConfig
from linnet_train.loading import last_layer

__all__ = ["Calibration", "calibrate", "fit_temperature", "fold", "out_of_scope_shift"]


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Temperature and shift that were folded into the last layer.

    Attributes:
        temperature: the logits were divided by it.
        shift: was added to the out-of-scope logit after that.
    """

    temperature: float = 1.0
    shift: float = 0.0


def calibrate(
    model: Any, logits: Tensor, labels: Tensor, outside: int | None, config: CalibrationConfig
) -> Calibration:
    """Choose temperature and shift on held-out rows and fold them into ``model``.

    Args:
        model: a classifier; its last layer is changed.
        logits: of the held-out rows, float32 [rows, classes].
        labels: int64 [rows].
        outside: index of the out-of-scope class, None if there is none.
        config: which of the two to fit.
    """
    temperature = fit_temperature(logits, labels) if config.temperature else 1.0
    shift = 0.0
    if config.in_scope_recall is not None and outside is not None:
        shift = out_of_scope_shift(logits / temperature, labels, outside, config.in_scope_recall)
    calibration = Calibration(temperature, shift)
    fold(model, calibration, outside)
    return calibration


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Fit the temperature that maximizes the likelihood of the labels (Guo et al., ICML 2017)."""
    logarithm = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([logarithm], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(logits / logarithm.exp(), labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    temperature = math.exp(float(logarithm.detach()))
    return temperature if math.isfinite(temperature) and 0.05 < temperature < 20 else 1.0


def out_of_scope_shift(logits: Tensor, labels: Tensor, outside: int, in_scope_recall: float) -> float:
    """Return the largest shift of the out-of-scope logit that calls at most ``1 - in_scope_recall`` of the
    in-scope rows out of scope.

    Args:
        logits: float32 [rows, classes].
        labels: int64 [rows].
        outside: number of the out-of-scope class.
        in_scope_recall: share of in-scope rows that must stay in scope.
    """
    rows = logits[labels != outside]
    others = rows.clone()
    others[:, outside] = -torch.inf
    # a row leaves the scope once the shift exceeds its margin
    margins = (others.max(dim=1).values - rows[:, outside]).sort().values
    allowed = math.floor((1 - in_scope_recall) * len(margins) + 1e-9)  # 0.2 * 10 is a little less than 2
    return float(margins[min(allowed, len(margins) - 1)]) - 1e-4


def fold(model: Any, calibration: Calibration, outside: int | None) -> None:
    """Change the last layer of ``model`` so that it computes the calibrated logits."""
    last = last_layer(model)
    with torch.no_grad():
        last.weight.div_(calibration.temperature)
        last.bias.div_(calibration.temperature)
        if outside is not None:
            last.bias[outside] += calibration.shift
