"""Which layer of the model an operator of the program belongs to, as the exporter wrote it into the evidence.

``evidence["places"]["forward"]`` has one object for each instruction of the method:

* ``{"operator": "aten::slice_copy", "layer": "body.embeddings"}`` outside of the delegate;
* ``{"partition": [{"layer": "body.layers.0", "operators": ["add", "gelu"]}, ...]}`` for a delegate call, with
  runs of operators of one layer in the order of the graph.

XNNPACK merges and adds operators of its own, so its operators are matched kind by kind: where it runs as many
linear layers as the graph has, the third one is the graph's third one. Where the numbers differ, that kind
stays without layers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

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
    "linnet::int8_linear": "int8_linear",
}
"""From the first words of XNNPACK's names (``xnn_operator_type_to_string``) to ATen's; a square is ``mul(x, x)``.

linnet's own delegate gives its one operator its own name."""


class ProgramMap:
    """Looks up operators and layers; what is not known is an empty text."""

    def __init__(self, evidence: Mapping[str, Any], method: str = "forward") -> None:
        """Read the evidence of a file; one without places knows nothing."""
        places = evidence.get("places")
        known = places if isinstance(places, Mapping) else {}
        self._methods: dict[str, Sequence[Mapping[str, Any]]] = {
            name: known[name] for name in (method, f"{method}_fused") if isinstance(known.get(name), list)
        }
        self._entries: Sequence[Mapping[str, Any]] = next(iter(self._methods.values()), ())

    def recognize(self, delegated: Sequence[int]) -> str | None:
        """Take the method whose delegate calls are these instructions: linnet runs the fastest that it can.

        Returns:
            Its name, None if no method is like that.
        """
        found = None
        for name, entries in self._methods.items():
            if [number for number, entry in enumerate(entries) if "partition" in entry] == sorted(delegated):
                self._entries, found = entries, name
        return found

    def operator(self, instruction: int) -> tuple[str, str]:
        """Return name and layer of an operator outside of the delegate."""
        entry = self._entry(instruction)
        return str(entry.get("operator", "")), str(entry.get("layer", ""))

    def partition(self, instruction: int, names: Sequence[str]) -> list[str]:
        """Return the layer of each of XNNPACK's operators in a delegate call."""
        graph: dict[str, list[str]] = defaultdict(list)
        for run in self._entry(instruction).get("partition") or ():
            for operator in run["operators"]:
                graph[operator].append(run["layer"])
        kinds = [_kind(name) for name in names]
        known = {kind: iter(layers) for kind, layers in graph.items() if len(layers) == kinds.count(kind)}
        return [next(known[kind]) if kind in known else "" for kind in kinds]

    def _entry(self, instruction: int) -> Mapping[str, Any]:
        return self._entries[instruction] if 0 <= instruction < len(self._entries) else {}


def _kind(name: str) -> str:
    return _KINDS.get(name.split(" (")[0], "")
