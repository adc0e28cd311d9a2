"""Supervised contrastive training of an encoder for few-shot classification.

As in SetFit (<https://arxiv.org/abs/2209.11055>), the encoder is trained first, by contrast, then a head on its output.
A few rows give many pairs, and the head does not have to be learned at the same time.
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
    """Compute the supervised contrastive loss (Khosla et al., <https://arxiv.org/abs/2004.11362>, equation 2).

    Args:
        features: float [rows, width]; compared by their cosine.
        labels: int64 [rows]. A row without another one of its class in the batch serves as a negative only.
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
    """Run a classifier; return input [rows, width] and output [rows, classes] of its last layer, both float."""
    read: list[Tensor] = []
    hook = last_layer(model).register_forward_pre_hook(lambda _layer, given: read.append(given[0]))
    try:
        logits = model(**inputs).logits
    finally:
        hook.remove()
    return read[0], logits


class ClassGroupedSampler(EpochSampler):
    """Order in which small groups of rows of one class are neighbours."""

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
