"""Registry of the steps of a tokenizer that the core has, and the bytes of a list of steps.

A registry maps the name of a component in tokenizer.json to a function that returns its steps; the number of a step is
its place in the list of its kind in ``runtime_bindings/runtime/text/tokenizer/tables/steps.cpp``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import block, numbers
from linnet_export.tokenizer.parts import Json

__all__ = ["Makers", "Step", "components", "pack_steps", "steps_of"]


@dataclasses.dataclass(frozen=True)
class Step:
    """A step: its number in the core's list and its content."""

    kind: int
    content: bytes = b""


Makers: TypeAlias = Mapping[str, Callable[[Json], Sequence[Step]]]


def components(component: Json | None, parts: str) -> Iterator[Json]:
    """Yield the components of a part of tokenizer.json, those of sequences one by one.

    Args:
        component: the part, None if the tokenizer has none.
        parts: key of the components of a Sequence.
    """
    if component is None:
        return
    if component["type"] == "Sequence":
        for inner in component[parts]:
            yield from components(inner, parts)
    else:
        yield component


def steps_of(component: Json | None, parts: str, makers: Makers, role: str) -> list[Step]:
    """Return the steps of a part of tokenizer.json.

    Raises:
        UnsupportedTokenizerError: the core has no such step, or not with this setting.
    """
    steps: list[Step] = []
    for inner in components(component, parts):
        maker = makers.get(inner["type"])
        if maker is None:
            raise unsupported_part(f"{role} {inner['type']}", f"one of {', '.join(sorted(makers))}")
        steps += maker(inner)
    return steps


def pack_steps(steps: Sequence[Step]) -> bytes:
    """Return the content of a block of steps."""
    return numbers(len(steps)) + b"".join(numbers(step.kind) + block(step.content) for step in steps)
