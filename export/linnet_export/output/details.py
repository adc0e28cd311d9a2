"""Details of an export for the page of `linnet explain`: steps, errors of layers, versions."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata

from linnet.format.evidence import Details, LayerError
from linnet_export.checkpoint import Checkpoint
from linnet_export.graph.program import DeviceProgram
from linnet_export.lower.lowering import LowerResult
from linnet_export.proof import ProofText, device_inputs, layer_errors

__all__ = ["make_details", "measure_layers"]

_MOST_TEXTS = 16  # relative errors settle within a few hundred tokens, and each text is run three times
_DIGITS = 3


def measure_layers(
    checkpoint: Checkpoint,
    original: DeviceProgram,
    program: DeviceProgram,
    texts: Sequence[ProofText],
    progress: Callable[[str], None],
) -> tuple[dict[str, LayerError], int]:
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


def make_details(lowered: LowerResult, errors: Mapping[str, LayerError], texts: int) -> Details:
    """Return what the evidence keeps of a lowered program, the errors of its layers, and the number of their texts."""
    return Details(
        steps=lowered.facts.steps,
        layer_errors={name: LayerError(_short(error.given), _short(error.running)) for name, error in errors.items()},
        layer_texts=texts,
        versions=_versions(),
    )


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _versions() -> dict[str, str]:
    names = ("torch", "torchao", "transformers", "tokenizers", "numpy")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}
