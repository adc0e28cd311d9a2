"""Learning from a few rows: what the last layer reads becomes alike within a class and unlike between classes.

The idea of SetFit (<https://arxiv.org/abs/2209.11055>): first the encoder by contrast, then a head on what it gives.
A few rows make many pairs, and no weight of the head has to be learned at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from linnet_train.data.batches import EpochSampler, Rows
from linnet_train.loading import last_layer

__all__ = ["ClassGroupedSampler", "contrastive_loss", "read_by_last_layer"]

_TEMPERATURE = 0.1  # Khosla et al., section 4.4: the best of those that they tried
_GROUP = 4  # rows of one class that stand together in a batch: each of them has three to be drawn to


def contrastive_loss(features: Tensor, labels: Tensor, temperature: float = _TEMPERATURE) -> Tensor:
    """Return the supervised contrastive loss (Khosla et al., <https://arxiv.org/abs/2004.11362>, equation 2).

    Args:
        features: float [rows, width]; compared by their cosine.
        labels: int64 [rows]. A row whose class has no other in the batch is only an example of what is different.
        temperature: the cosines are divided by it.

    Returns:
        float32 scalar, the mean over the rows that have another of their class; 0 if none has.
    """
    unit = nn.functional.normalize(features.float(), dim=-1)
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    alike = (labels[:, None] == labels[None, :]) & ~itself
    logits = (unit @ unit.T / temperature).masked_fill(itself, float("-inf"))
    likely = torch.log_softmax(logits, dim=-1).masked_fill(~alike, 0.0)
    partners = alike.sum(dim=-1)
    have = partners > 0
    if not bool(have.any()):
        return unit.sum() * 0
    return -(likely.sum(dim=-1)[have] / partners[have]).mean()


def read_by_last_layer(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Run a classifier; return what its last layer reads, float [rows, width], and gives, float [rows, classes]."""
    read: list[Tensor] = []
    hook = last_layer(model).register_forward_pre_hook(lambda _layer, given: read.append(given[0]))
    try:
        logits = model(**inputs).logits
    finally:
        hook.remove()
    return read[0], logits


class ClassGroupedSampler(EpochSampler):
    """Small groups of one class stand together."""

    def __init__(self, rows: Rows, seed: int) -> None:
        super().__init__(rows, seed)
        self._labels: Sequence[int] = rows.labels

    def __iter__(self) -> Iterator[int]:
        generator = self.generator()
        by_class: dict[int, list[int]] = {}
        for place in torch.randperm(len(self), generator=generator).tolist():
            by_class.setdefault(self._labels[place], []).append(place)
        groups = [rows[start : start + _GROUP] for rows in by_class.values() for start in range(0, len(rows), _GROUP)]
        for place in torch.randperm(len(groups), generator=generator).tolist():
            yield from groups[place]
