"""Export of a checkpoint for ONNX Runtime, in its fastest form: traced with a mask, fused, int8 per channel.

The Hugging Face forward with ``attention_mask`` and dynamic axes is exported (opset 17, attention as plain
matrix products, the form that ONNX Runtime's BERT fusions recognise), pooled and normalized inside the
graph as in linnet's file, optionally fused by ``onnxruntime.transformers.optimizer``, then quantized with
``quantize_dynamic(per_channel=True, weight_type=QInt8)``. Fusing helps short inputs and hurts long ones,
so both variants take part and the better one counts.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

from benchmarks.peers.reference import Embedder, load_embedder

__all__ = ["OPSET", "export_onnx"]

OPSET = 17
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def export_onnx(checkpoint: Path, output: Path, *, int8: bool, fused: bool, heads: int, hidden: int) -> None:
    """Write the ONNX model of a checkpoint.

    Args:
        checkpoint: sentence-transformers folder, mean pooling, normalized.
        output: file to write.
        int8: quantize it; otherwise it stays fp32.
        fused: run ONNX Runtime's transformer fusions first.
        heads, hidden: number and total width of the attention heads, for the fusions.
    """
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        model = Path(folder, "traced.onnx")
        _trace(load_embedder(checkpoint, attention="eager"), model)
        if fused:
            prepared = Path(folder, "prepared.onnx")
            _fuse(model, prepared, heads, hidden)
            model = prepared
        if int8:
            _quantize(model, output)
        else:
            model.rename(output)


def _quantize(model: Path, output: Path) -> None:
    quantize_dynamic(
        model,
        output,
        per_channel=True,
        weight_type=QuantType.QInt8,
        # shape inference does not know the fused operators; all of them return floats
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _trace(model: Embedder, output: Path) -> None:
    ids = torch.full((1, 16), 1000)
    axes = {name: {0: "batch", 1: "tokens"} for name in _INPUTS} | {"embedding": {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's warnings about Python numbers; the output is compared
        torch.onnx.export(
            model,
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            str(output),
            input_names=list(_INPUTS),
            output_names=["embedding"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def _fuse(source: Path, output: Path, heads: int, hidden: int) -> None:
    model = optimizer.optimize_model(str(source), model_type="bert", num_heads=heads, hidden_size=hidden, opt_level=0)
    model.save_model_to_file(str(output))
