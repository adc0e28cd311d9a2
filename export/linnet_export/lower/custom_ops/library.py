"""PyTorch namespace of the custom operators, and the list of them."""

from __future__ import annotations

import torch

__all__ = ["LIBRARY", "NAMES", "define"]

LIBRARY = torch.library.Library("linnet", "FRAGMENT")

NAMES: list[str] = []
"""Names of the operators that were defined, without namespace and overload."""


def define(name: str, arguments: str, results: int = 1) -> None:
    """Define an operator that returns one or several tensors, and its overload `out`, which is what a program has."""
    written = [f"Tensor({letter}!)" for letter in "abcdefgh"[:results]]
    names = ["out"] if results == 1 else [f"out{number}" for number in range(results)]
    outs = ", ".join(f"{kind} {out}" for kind, out in zip(written, names, strict=True))
    LIBRARY.define(f"{name}({arguments}) -> {_joined(['Tensor'] * results)}")
    LIBRARY.define(f"{name}.out({arguments}, *, {outs}) -> {_joined(written)}")
    NAMES.append(name)


def _joined(types: list[str]) -> str:
    return types[0] if len(types) == 1 else f"({', '.join(types)})"
