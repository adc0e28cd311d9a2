"""Details of an export for `linnet explain`: steps of the program, errors of layers, versions."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata

from linnet.format.evidence import Details, LayerError
from linnet_export.checkpoint import Checkpoint
from linnet_export.lower.lowering import LowerResult, Program
from linnet_export.proof import ProofText, device_inputs, layer_errors

__all__ = ["make_details", "measure_layers"]

_MOST_TEXTS = 16  # relative errors converge within a few hundred tokens, and each text is run three times
_MOST_DECODER_TEXTS = 4  # a decoder is large, and each of its tokens runs through all layers
_DIGITS = 3  # significant digits of an error in the evidence


def measure_layers(
    checkpoint: Checkpoint,
    original: Program,
    program: Program,
    texts: Sequence[ProofText],
    progress: Callable[[str], None],
) -> tuple[dict[str, LayerError], int]:
    """Measure the error of each layer after quantization; return the errors and the number of texts.

    Args:
        checkpoint: the original, for its tokenizer.
        original: device graph in float32.
        program: quantized device graph.
        texts: texts of the proof; at most 16 of them are used, spread over all.
        progress: called with a description of each step.
    """
    most = _MOST_DECODER_TEXTS if checkpoint.task.generates else _MOST_TEXTS
    chosen = texts[:: -(-len(texts) // most)]
    inputs = device_inputs(checkpoint, chosen, program.inputs)
    errors = layer_errors(original, program, inputs, lambda done: progress(f"each layer: text {done} of {len(inputs)}"))
    return errors, len(inputs)


def make_details(lowered: LowerResult, errors: Mapping[str, LayerError], texts: int) -> Details:
    """Return the details for the evidence.

    Args:
        lowered: the lowered program.
        errors: errors of its layers by name.
        texts: number of texts on which the errors were measured.
    """
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
