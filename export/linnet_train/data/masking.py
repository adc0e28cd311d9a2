"""Token masking for masked language modelling, drawn anew in each epoch.

Devlin et al., "BERT", <https://arxiv.org/abs/1810.04805>, section 3.1 and appendix A.1.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from linnet_train.data.batches import NO_LABEL, Rows

__all__ = ["MaskedRows", "Masking", "answers_only_for"]

_MASKED, _RANDOM = 0.8, 0.1  # the rest stays as it is; BERT, appendix A.1


@dataclasses.dataclass(frozen=True)
class Masking:
    """Masking strategy.

    Attributes:
        probability: share of tokens to predict; at least one of each text.
        mask_id: of the mask token.
        special_ids: tokens that are neither masked nor used as random replacements.
        vocabulary: number of tokens.
    """

    probability: float
    mask_id: int
    special_ids: frozenset[int]
    vocabulary: int

    def hide(self, ids: Sequence[int], generator: np.random.Generator) -> tuple[list[int], list[int]]:
        """Return the masked ids, and labels: original ids at masked positions, :data:`NO_LABEL` elsewhere."""
        places = [place for place, token in enumerate(ids) if token not in self.special_ids]
        hidden, labels = list(ids), [NO_LABEL] * len(ids)
        if not places:
            return hidden, labels
        count = max(1, round(self.probability * len(places)))
        for place in generator.choice(places, size=count, replace=False).tolist():
            labels[place] = ids[place]
            drawn = generator.random()
            if drawn < _MASKED:
                hidden[place] = self.mask_id
            elif drawn < _MASKED + _RANDOM:
                hidden[place] = self._any(generator)
        return hidden, labels

    def _any(self, generator: np.random.Generator) -> int:
        while True:
            token = int(generator.integers(self.vocabulary))
            if token not in self.special_ids:
                return token


class MaskedRows(Rows):
    """Rows that are masked anew in each epoch, depending only on seed, epoch and row.

    A resumed training therefore masks the same tokens as an uninterrupted one.
    """

    def __init__(
        self,
        inputs: Sequence[Mapping[str, list[int]]],
        masking: Masking,
        seed: int,
        next_sentence: Sequence[int] | None = None,
    ) -> None:
        super().__init__(inputs, [None] * len(inputs))
        self._masking = masking
        self._seed = seed
        self._next_sentence = next_sentence
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """See :class:`Rows`."""
        self._epoch = epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        generator = np.random.default_rng((self._seed, self._epoch, index))
        row = self.inputs[index]
        ids, labels = self._masking.hide(row["input_ids"], generator)
        masked: dict[str, Any] = {**row, "input_ids": ids, "labels": labels}
        if self._next_sentence is not None:
            masked["next_sentence_label"] = torch.tensor(self._next_sentence[index])
        return masked


@contextlib.contextmanager
def answers_only_for(model: Any, chosen: Tensor) -> Iterator[None]:
    """Compute the head of a masked language model for the chosen tokens only.

    The head works on each token separately and its last layer is as wide as the vocabulary, so logits of unmasked
    tokens would take most of the time and memory. Inside the block logits have the shape [1, chosen, vocabulary].

    Args:
        model: with `base_model`, which gives `last_hidden_state` [rows, tokens, width].
        chosen: bool [rows, tokens].
    """

    def choose(_module: Any, _inputs: Any, output: Any) -> Any:
        output.last_hidden_state = output.last_hidden_state[chosen].unsqueeze(0)
        return output

    handle = model.base_model.register_forward_hook(choose)
    try:
        yield
    finally:
        handle.remove()
