"""Choice of the next token by transformers' own logits processors, and random numbers of splitmix64."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Settings", "choose"]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of sampling by their names in transformers; presence and frequency penalty as OpenAI's."""

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int = 0


def choose(
    logits: npt.NDArray[np.float32], history: Sequence[int], prompt_tokens: int, settings: Settings
) -> tuple[int, float]:
    """Return the next token, and the natural logarithm of its probability by the logits as they are.

    Args:
        logits: float32 [vocabulary].
        history: all tokens so far.
        prompt_tokens: number of the first ones that were not generated.
        settings: of the sampling.
    """
    import torch
    from transformers.generation import logits_process as processes

    ids: Any = torch.tensor([list(history)])
    scores: Any = torch.from_numpy(logits.astype(np.float64))[None]
    logarithms = torch.log_softmax(scores, -1)[0]
    scores = processes.RepetitionPenaltyLogitsProcessor(settings.repetition_penalty)(ids, scores.clone())
    for token, count in Counter(history[prompt_tokens:]).items():
        scores[0, token] -= settings.presence_penalty + count * settings.frequency_penalty
    if settings.temperature == 0:
        chosen = int(scores.argmax())
        return chosen, float(logarithms[chosen])
    scores = processes.TemperatureLogitsWarper(settings.temperature)(ids, scores)
    if settings.top_k:
        scores = processes.TopKLogitsWarper(settings.top_k)(ids, scores)
    if settings.top_p < 1:
        scores = processes.TopPLogitsWarper(settings.top_p)(ids, scores)
    if settings.min_p:
        scores = processes.MinPLogitsWarper(settings.min_p)(ids, scores)
    sums = torch.softmax(scores, -1)[0].cumsum(-1)
    chosen = int((sums > _uniform(settings.seed, len(history)) * float(sums[-1])).nonzero()[0])
    return chosen, float(logarithms[chosen])


def _uniform(seed: int, place: int) -> float:
    """Return a number in [0, 1): splitmix64 (Steele et al. 2014) of the seed, then of the place in the text."""
    return (_mixed(_mixed(seed + _STEP) + (place + 1) * _STEP) >> 11) * 2.0**-53


def _mixed(number: int) -> int:
    number &= _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)
