"""Choice among texts by the probability that a decoder gives to each: a classifier without training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linnet.errors import InvalidArgumentError
from linnet.generation import go_to
from linnet.generation_options import check_choices

if TYPE_CHECKING:
    from linnet.runtime import FloatArray, TextState
    from linnet.session import Session

__all__ = ["choose", "log_softmax"]


def choose(session: Session, state: TextState, prompt: Sequence[int], choices: object) -> list[dict[str, Any]]:
    """Return ``{"label", "score"}`` for each choice, the likeliest first.

    The score is the probability of the choice behind the prompt, divided by the sum over all choices: the softmax of
    the sums of the log probabilities of its tokens, as the file's tokenizer cuts it. The end of the answer is no part
    of it.

    Args:
        session: of the open file.
        state: text of which the longest common beginning with the prompt is kept.
        prompt: token ids, at least one.
        choices: different texts with a character.

    Raises:
        InvalidArgumentError: the prompt is empty, or the choices are something else.
        ContextFullError: prompt and choice do not fit.
    """
    import numpy as np

    if choices is None:
        raise InvalidArgumentError("choices is None, expected a list of different texts with a character")
    check_choices(choices)
    if not prompt:
        raise InvalidArgumentError("the prompt is empty, expected at least one token; pass some text")
    assert isinstance(choices, list | tuple)
    go_to(state, prompt)
    first = log_softmax(state.logits()[None])
    sums = []
    for choice in choices:
        ids = [int(token) for token in session.tokenizer.encode(choice, add_special_tokens=False)[0].ids]
        rows = first if len(ids) < 2 else np.concatenate([first, log_softmax(state.score(ids[:-1]))])
        sums.append(float(rows[np.arange(len(ids)), ids].sum()))
        state.rewind(len(prompt))
    scores = np.exp(log_softmax(np.array([sums])))[0].tolist()
    answers = [{"label": choice, "score": score} for choice, score in zip(choices, scores, strict=True)]
    return sorted(answers, key=lambda answer: -answer["score"])


def log_softmax(logits: FloatArray) -> FloatArray:
    """Return the log probabilities of rows of logits, float64 [rows, columns]."""
    import numpy as np

    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result
