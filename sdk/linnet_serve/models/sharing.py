"""Lists of texts as jobs of a bounded size, whose results are put together again."""

from __future__ import annotations

import array
import asyncio
import dataclasses
import sys
from collections.abc import Sequence
from typing import TypeVar

from linnet_serve.errors import invalid
from linnet_serve.models.hosting import HostedModel
from linnet_serve.models.messages import Embed, Embedded, Score, Scored

__all__ = ["Vectors", "check_texts", "embed", "floats", "score"]

T = TypeVar("T")

# texts of one job: small enough that a long list leaves other requests their turn, and is shared by the replicas
_TEXTS = 16


@dataclasses.dataclass(frozen=True)
class Vectors:
    """Vectors of texts.

    Attributes:
        data: float32, little endian, one row after the other.
        width: numbers of each row.
        tokens: of each text.
        rows: rows of each text: 1, or its tokens.
    """

    data: bytes
    width: int
    tokens: list[int]
    rows: list[int]

    def row(self, index: int) -> bytes:
        """Return one row as bytes."""
        size = 4 * self.width
        return self.data[index * size : (index + 1) * size]


def floats(data: bytes) -> list[float]:
    """Return float32 numbers, little endian, as a list."""
    numbers = array.array("f")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def check_texts(count: int, most: int, name: str = "inputs") -> None:
    """Check the number of texts of a request.

    Raises:
        ServiceError: there are none, or too many (400).
    """
    if not 1 <= count <= most:
        raise invalid(f"{name} has {count} texts, expected 1 to {most}", name)


async def embed(model: HostedModel, work: Embed) -> Vectors:
    """Embed a list of texts of any length; raises the errors of :meth:`HostedModel.do`."""
    jobs = [
        Embed(work.texts[at : at + _TEXTS], work.normalize, work.prompt_name, work.truncation, work.tokens)
        for at in range(0, len(work.texts), _TEXTS)
    ]
    results = await _all(model, jobs, Embedded)
    return Vectors(
        data=results[0].data if len(results) == 1 else b"".join(result.data for result in results),
        width=results[0].width,
        tokens=[count for result in results for count in result.tokens],
        rows=[count for result in results for count in result.rows],
    )


async def score(model: HostedModel, work: Score) -> Vectors:
    """Score a list of pairs of any length; raises the errors of :meth:`HostedModel.do`."""
    jobs = [Score(work.pairs[at : at + _TEXTS], work.truncation) for at in range(0, len(work.pairs), _TEXTS)]
    results = await _all(model, jobs, Scored)
    tokens = [count for result in results for count in result.tokens]
    return Vectors(b"".join(result.data for result in results), results[0].width, tokens, [1] * len(tokens))


async def _all(model: HostedModel, jobs: Sequence[Embed | Score], kind: type[T]) -> list[T]:
    """Do all jobs; if one fails, the others are cancelled."""
    timeout = model.settings.timeout
    if len(jobs) == 1:
        return [await model.do(jobs[0], kind, timeout=timeout)]
    tasks = [asyncio.ensure_future(model.do(job, kind, timeout=timeout)) for job in jobs]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
