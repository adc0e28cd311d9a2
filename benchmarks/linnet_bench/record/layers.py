"""Mapping from operators of the program to layers of the model, by the debug map in the evidence (``places``).

XNNPACK merges operators and adds its own, so its operators are matched by kind: if it runs as many linear layers as
the graph has, the third one is the graph's third one. If the numbers differ, that kind has no layers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from linnet.format.evidence import Evidence, Instruction

__all__ = ["ProgramMap"]

_KINDS: Mapping[str, str] = {
    "Add": "add",
    "Batch Matrix Multiply": "bmm",
    "Clamp": "clamp",
    "Divide": "div",
    "Fully Connected": "linear",
    "GELU": "gelu",
    "Multiply": "mul",
    "Reciprocal Square Root": "rsqrt",
    "Sigmoid": "sigmoid",
    "Softmax": "_softmax",
    "Square": "mul",
    "Static Reshape": "view_copy",
    "Subtract": "sub",
    "TanH": "tanh",
    "Transpose": "permute_copy",
    "linnet::int4_linear": "int4_linear",
    "linnet::int8_linear": "int8_linear",
}
"""From the first words of XNNPACK's names (``xnn_operator_type_to_string``) to ATen's; a square is ``mul(x, x)``.

The operators of linnet's own delegate have their own names."""

_UNKNOWN = Instruction()


class ProgramMap:
    """Looks up operators and layers; an unknown one is an empty text."""

    def __init__(self, evidence: Evidence, method: str = "forward") -> None:
        """Read the evidence of a file; without a debug map every lookup is unknown."""
        known = evidence.places
        self._methods = {name: known[name] for name in (method, f"{method}_fused") if name in known}
        self._entries: Sequence[Instruction] = next(iter(self._methods.values()), ())

    def recognize(self, delegated: Sequence[int]) -> str | None:
        """Select the method whose delegate calls are these instructions; linnet runs the fastest method available.

        Returns:
            Its name, None if no method matches.
        """
        method = None
        for name, entries in self._methods.items():
            calls = [number for number, entry in enumerate(entries) if entry.partition is not None]
            if calls == sorted(delegated):
                self._entries, method = entries, name
        return method

    def operator(self, instruction: int) -> tuple[str, str]:
        """Return name and layer of an operator outside the delegate."""
        entry = self._entry(instruction)
        return entry.operator or "", entry.layer or ""

    def partition(self, instruction: int, names: Sequence[str]) -> list[str]:
        """Return the layer of each of XNNPACK's operators in a delegate call."""
        graph: dict[str, list[str]] = defaultdict(list)
        for run in self._entry(instruction).partition or ():
            for operator in run.operators:
                graph[operator].append(run.layer)
        kinds = [_kind(name) for name in names]
        known = {kind: iter(layers) for kind, layers in graph.items() if len(layers) == kinds.count(kind)}
        return [next(known[kind]) if kind in known else "" for kind in kinds]

    def _entry(self, instruction: int) -> Instruction:
        return self._entries[instruction] if 0 <= instruction < len(self._entries) else _UNKNOWN


def _kind(name: str) -> str:
    return _KINDS.get(name.split(" (")[0], "")
