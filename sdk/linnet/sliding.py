"""Texts longer than the context of a decoder: which tokens stay, and which go."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from linnet.errors import ContextFullError

__all__ = ["Turn", "Window"]


class Turn(NamedTuple):
    """An end of a turn of a conversation.

    Attributes:
        tokens: tokens behind the kept ones up to there.
        number: turns up to there.
    """

    tokens: int
    number: int


class Window:
    """Tokens at the beginning of a text that stay, and those behind them, of which the oldest go when it is full.

    Half of the room behind the kept tokens becomes free, with whole turns of a conversation as far as there are.

    Attributes:
        keep: first tokens that stay.
        dropped_turns: turns of the conversation that are gone.
    """

    def __init__(self, keep: int, capacity: int, turns: Callable[[], list[Turn]] = list) -> None:
        """Take what is known of a text.

        Args:
            keep: first tokens that stay.
            capacity: most tokens of the text.
            turns: finds the ends of turns in ascending order; it is called when the context is full for the first time.

        Raises:
            ContextFullError: there is no room for two tokens behind the kept ones.
        """
        if capacity - keep < 2:
            raise ContextFullError(
                f"{keep} tokens are kept, the context has {capacity}: expected room for two more; keep fewer, or "
                "export the model with a larger --context"
            )
        self.keep, self.dropped_turns = keep, 0
        self._capacity = capacity
        self._find_turns: Callable[[], list[Turn]] = turns
        self._turns: list[Turn] | None = None

    def removal(self, size: int) -> int:
        """Return how many tokens behind the kept ones go from a text of ``size`` tokens, so that there is room."""
        if self._turns is None:
            self._turns = self._find_turns()
        half = size - self.keep - (self._capacity - self.keep) // 2
        fitting = [turn.tokens for turn in self._turns if turn.tokens > size - self._capacity]
        removed = next((tokens for tokens in fitting if tokens >= half), fitting[-1] if fitting else half)
        gone = [turn for turn in self._turns if turn.tokens <= removed]
        self.dropped_turns = gone[-1].number if gone else self.dropped_turns
        self._turns = [Turn(turn.tokens - removed, turn.number) for turn in self._turns[len(gone) :]]
        return removed

    def fitted(self, prompt: list[int]) -> list[int]:
        """Return a prompt without its oldest tokens behind the kept ones, where it does not fit."""
        if len(prompt) <= self._capacity:
            return prompt
        return prompt[: self.keep] + prompt[self.keep + self.removal(len(prompt)) :]
