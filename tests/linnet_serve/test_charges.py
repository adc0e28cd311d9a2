"""Tokens that a generation is charged for, also if the client leaves it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from linnet_serve.exchange import Exchange
from linnet_serve.interfaces.generating import pieces
from linnet_serve.models.messages import Begun, Ended, Generate, Piece

NOTHING: Any = None  # what a charge does not look at


class Fake:
    """A model that reads 7 tokens and writes 3."""

    class settings:
        timeout = 1.0

    async def generate(self, work: Generate, *, timeout: float) -> AsyncGenerator[Begun | Piece | Ended, None]:
        yield Begun(1, 7)
        for token in range(3):
            yield Piece(1, token, "x")
        yield Piece(1, -1, "held back")
        yield Ended(1, "stop", 7, 3, 0)


async def charged(answers: int, steps: int) -> int:
    """Return the tokens of an exchange that is left after some pieces."""
    exchange = Exchange(service=NOTHING, route=NOTHING, id="x")
    model: Any = Fake()
    async with contextlib.aclosing(pieces(exchange, model, [Generate("a", {})] * answers)) as stream:
        for _ in range(steps):
            with contextlib.suppress(StopAsyncIteration):
                await anext(stream)
    return exchange.tokens


@pytest.mark.parametrize(("steps", "tokens"), [(1, 8), (2, 9), (100, 10)])
def test_one_answer_is_charged_as_far_as_it_came(steps: int, tokens: int) -> None:
    assert asyncio.run(charged(1, steps)) == tokens


def test_several_answers_are_charged_together() -> None:
    assert asyncio.run(charged(2, 100)) == 20
    assert asyncio.run(charged(2, 2)) > 14  # both prompts, and what came
