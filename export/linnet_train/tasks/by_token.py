"""Values and figures by token, of the tasks that learn a language model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from linnet_train.data.batches import NO_LABEL

__all__ = ["figures_by_token", "placed"]


def placed(values: Tensor, places: Tensor) -> Tensor:
    """Return float32 of the shape of ``places`` with the values where it is True, and :data:`NO_LABEL` elsewhere."""
    filled = torch.full(places.shape, float(NO_LABEL), device=values.device)
    filled[places] = values.detach()
    return filled


def figures_by_token(losses: Any, right: Any) -> dict[str, float]:
    """Return the share of tokens that are foretold, and the exponential of their mean loss.

    Args:
        losses: float32 [rows, tokens], :data:`NO_LABEL` where nothing was to be foretold.
        right: likewise 1 or 0.
    """
    learned = losses != NO_LABEL  # what the trainer fills up with too
    mean = float(losses[learned].astype(np.float64).mean())
    return {"accuracy": float(right[learned].mean()), "perplexity": math.exp(min(mean, 700.0))}
