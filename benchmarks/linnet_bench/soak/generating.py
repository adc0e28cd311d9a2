"""Requests to a decoder: completions of several kinds, in forks of texts whose prompt was cancelled before."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from linnet.errors import CancelledError
from linnet.generation import GenerationOptions, TokenStream, read_prompt
from linnet.model import Model
from linnet.runtime import TextState
from linnet_bench.measure.probe import clip_lengths
from linnet_bench.measure.sample import long_text

__all__ = ["NEW_TOKENS", "GeneratingRequest", "make_generating_requests"]

NEW_TOKENS = 16
"""Most tokens that a request generates."""

_KINDS: Sequence[Mapping[str, Any]] = (
    {"do_sample": False},
    {"temperature": 1.0, "top_p": 0.9, "seed": 1},
    {"do_sample": False, "prompt_lookup_num_tokens": 8},
    {"temperature": 0.7, "seed": 2, "overflow": "slide", "repetition_penalty": 1.1},
)


@dataclasses.dataclass(frozen=True)
class GeneratingRequest:
    """One completion.

    Attributes:
        text: its prompt is the beginning of this.
        tokens: of the prompt.
        options: of the completion.
    """

    text: str
    tokens: int
    options: Mapping[str, Any]

    def run(self, model: Model) -> list[object]:
        """Return ids and log probabilities of the completion, and why it ended.

        Raises:
            LinnetError: it fails.
        """
        session, state = model._session, model.new_text()
        ids = read_prompt(session, self.text)[: self.tokens]
        _cancel(state, ids)
        state.append(ids)
        options = GenerationOptions.of({"max_new_tokens": NEW_TOKENS, **self.options})
        stream = TokenStream(session, state.fork(), ids, options)
        made = [token for token in stream if token.id >= 0]
        return [[token.id for token in made], [token.log_probability for token in made], stream.finish_reason]


def _cancel(state: TextState, ids: Sequence[int]) -> None:
    """Cancel the prompt from another thread, wherever it is then, and leave the text empty."""
    canceller = threading.Thread(target=state.cancel)
    canceller.start()
    with contextlib.suppress(CancelledError):
        state.append(ids)
    canceller.join()
    state.rewind(0)
    with contextlib.suppress(CancelledError):  # a cancellation that came late stops this
        state.append(ids[:1])
    state.rewind(0)


def make_generating_requests(model: Model, lengths: Sequence[int]) -> list[GeneratingRequest]:
    """Return a request of each kind for each length of the prompt.

    Args:
        model: the opened file.
        lengths: tokens of a prompt, at most those of the file.
    """
    lengths = clip_lengths(lengths, model.manifest.max_length)
    words = long_text(max(lengths) + len(_KINDS)).split()
    return [
        GeneratingRequest(" ".join(words[number:]), length, options)
        for length in lengths
        for number, options in enumerate(_KINDS)
    ]
