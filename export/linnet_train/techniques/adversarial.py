"""Adversarial training: embeddings shifted along the gradient of the loss.

Miyato et al., "Adversarial Training Methods for Semi-Supervised Text Classification",
<https://arxiv.org/abs/1605.07725>, equation 5. The paper normalizes embeddings and uses a shift of fixed length; here
the length is relative to the norm of the embedding, so that one setting fits every model.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from linnet_train.tasks.base import Step

__all__ = ["embedding_shift", "with_adversary"]


def with_adversary(step: Step, share: float) -> Step:
    """Add the loss of the adversarially shifted batch to the loss of ``step``.

    Args:
        step: computes the loss of a batch.
        share: norm of the shift relative to the norm of the embedding; 0 returns ``step`` unchanged.
    """
    if not share:
        return step

    def run(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        if not model.training:
            return step(model, inputs)
        words = getattr(model, "module", model).get_input_embeddings()
        again = dict(inputs)
        seen: list[Tensor] = []

        def watch(embedded: Tensor) -> Tensor:
            # frozen embeddings have no gradient of their own
            seen.append(embedded if embedded.requires_grad else embedded.detach().requires_grad_())
            return seen[-1]

        with _through(words, watch):
            loss, measured = step(model, inputs)
        gradients = torch.autograd.grad(loss, seen, retain_graph=True)
        shifts = iter([embedding_shift(*pair, share) for pair in zip(seen, gradients, strict=True)])
        with _through(words, lambda embedded: embedded + next(shifts)):
            moved, _ = step(model, again)
        return loss + moved, measured

    return run


def embedding_shift(embedding: Tensor, gradient: Tensor, share: float) -> Tensor:
    """Compute the shift of each text along the gradient of the loss: float [rows, tokens, width].

    Args:
        embedding: float [rows, tokens, width].
        gradient: of the loss, float [rows, tokens, width].
        share: norm of the shift relative to the norm of the embedding.
    """
    length = embedding.detach().flatten(1).norm(dim=1)
    steepness = gradient.flatten(1).norm(dim=1).clamp(min=torch.finfo(gradient.dtype).tiny)
    return gradient.detach() * (share * length / steepness)[:, None, None]


@contextlib.contextmanager
def _through(words: nn.Module, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Apply ``change`` to the output of the word embedding inside the block."""
    handle = words.register_forward_hook(lambda _module, _inputs, output: change(output))
    try:
        yield
    finally:
        handle.remove()
