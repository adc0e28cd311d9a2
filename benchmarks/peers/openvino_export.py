"""Export of a model for OpenVINO: ``python -m benchmarks.peers.openvino_export MODEL.onnx CALIBRATION.json OUT.xml``.

The fp32 ONNX model is read by OpenVINO and quantized by NNCF's post-training quantization as its documentation
advises for encoders (``model_type=TRANSFORMER``, its default preset), calibrated on real text. Runs in an
environment of its own, which has openvino and nncf and no PyTorch. Without texts (an empty list) the model stays
fp32, its weights compressed to fp16 on disk as ``ovc`` does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Write OUT.xml and OUT.bin; the calibration file is a JSON list of lists of token ids."""
    import openvino

    source, calibration, output = arguments
    model = openvino.Core().read_model(source)
    texts = json.loads(Path(calibration).read_text(encoding="utf-8"))
    if texts:
        model = _quantized(model, texts)
    openvino.save_model(model, output)
    return 0


def _quantized(model: object, texts: list[list[int]]) -> object:
    import nncf

    feeds = []
    for tokens in texts:
        ids = np.array([tokens], dtype=np.int64)
        feeds.append({"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})
    return nncf.quantize(model, nncf.Dataset(feeds), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(feeds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
