"""Fit of a new last layer to what an encoder gives before its fine-tuning.

A random last layer bends the encoder while it learns; one that is fitted first leaves it as good as it was (Kumar et
al., "Fine-Tuning can Distort Pretrained Features", <https://arxiv.org/abs/2202.10054>).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from linnet_train.loading import last_layer
from linnet_train.techniques.contrast import read_by_last_layer

__all__ = ["fit_last_layer", "logistic_regression"]

_STRENGTH = 10.0  # scikit-learn's C, of inputs whose mean length is 1
_MOST_STEPS = 200


def fit_last_layer(model: Any, batches: Iterable[dict[str, Tensor]]) -> None:
    """Set weight and bias of the last layer to those of a logistic regression on what it reads, in place.

    Args:
        model: a classifier; it is in eval mode afterwards.
        batches: inputs with `labels` int64 [rows].
    """
    model.eval()
    read, labels = [], []
    with torch.no_grad():
        for batch in batches:
            inputs = {name: value.to(model.device) for name, value in batch.items()}
            labels.append(inputs.pop("labels"))
            read.append(read_by_last_layer(model, inputs)[0].float())
    layer = last_layer(model)
    features = torch.cat(read)
    length = features.norm(dim=1).mean()
    weight, bias = logistic_regression(features / length, torch.cat(labels), layer.out_features, _STRENGTH)
    with torch.no_grad():
        layer.weight.copy_(weight / length)
        layer.bias.copy_(bias)


def logistic_regression(features: Tensor, labels: Tensor, classes: int, strength: float) -> tuple[Tensor, Tensor]:
    """Return weight float [classes, width] and bias float [classes] of a multinomial logistic regression.

    The objective is scikit-learn's: strength * sum of the cross entropy + half of the squared weights.

    Args:
        features: float [rows, width].
        labels: int64 [rows].
        classes: number of classes.
        strength: scikit-learn's C.
    """
    weight = torch.zeros(classes, features.shape[1], device=features.device, requires_grad=True)
    bias = torch.zeros(classes, device=features.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_MOST_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = nn.functional.linear(features, weight, bias)
        found = strength * nn.functional.cross_entropy(logits, labels, reduction="sum") + weight.square().sum() / 2
        found.backward()
        return found

    optimizer.step(loss)
    return weight.detach(), bias.detach()
