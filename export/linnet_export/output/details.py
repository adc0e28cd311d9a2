"""What the evidence keeps besides the proof, for the page of `linnet explain`: steps, layers, versions.

One JSON object, ``details`` of the evidence::

    {"version": 1,
     "steps": {"forward": [{"partition": 1, "operators": {"linear": 36, ...}},
                           {"partition": 0, "operators": {"view_copy": 1}, "reasons": {"view_copy": "..."}}]},
     "layer_errors": {"body.layers.0.attention.query": [0.0118, 0.0173], ...},
     "layer_texts": 24,
     "versions": {"torch": "2.13.0", ...}}

``layer_errors`` has both errors of :mod:`linnet_export.proof.layer_errors`, empty where they were not measured;
``layer_texts`` is the number of texts behind them. Sizes and precisions of the layers are in ``report``.
:mod:`linnet_export.explain` reads all of it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

from linnet_export.checkpoint import Checkpoint
from linnet_export.graph.program import DeviceProgram
from linnet_export.lower.lowering import LowerResult
from linnet_export.proof import LayerError, ProofText, device_inputs, layer_errors

__all__ = ["DETAILS_VERSION", "make_details", "measure_layers"]

DETAILS_VERSION = 1

_MOST_TEXTS = 16  # relative errors settle within a few hundred tokens, and each text is run three times
_DIGITS = 3


def measure_layers(
    checkpoint: Checkpoint,
    original: DeviceProgram,
    program: DeviceProgram,
    texts: Sequence[ProofText],
    progress: Callable[[str], None],
) -> tuple[tuple[LayerError, ...], int]:
    """Return the error of each layer after quantization and the number of texts it was measured on.

    Args:
        checkpoint: the original, for its tokenizer.
        original: its device graph in float32.
        program: the same, quantized.
        texts: of the proof; at most 16 of them are taken, spread over all.
        progress: told what happens.
    """
    chosen = texts[:: -(-len(texts) // _MOST_TEXTS)]
    inputs = device_inputs(checkpoint, chosen, program.inputs)
    errors = layer_errors(original, program, inputs, lambda done: progress(f"each layer: text {done} of {len(inputs)}"))
    return errors, len(inputs)


def make_details(lowered: LowerResult, errors: Sequence[LayerError] = (), texts: int = 0) -> dict[str, Any]:
    """Return the object above."""
    return {
        "version": DETAILS_VERSION,
        "steps": {name: [each.to_json() for each in steps] for name, steps in lowered.facts.steps.items()},
        "layer_errors": {each.name: [_short(each.given), _short(each.running)] for each in errors},
        "layer_texts": texts,
        "versions": _versions(),
    }


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _versions() -> dict[str, str]:
    names = ("torch", "torchao", "transformers", "tokenizers", "numpy")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}
