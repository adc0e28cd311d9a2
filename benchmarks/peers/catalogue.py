"""Catalogue of the compared engines: the file each loads, its packages, its environment and its cold start.

A *family* is one product in several variants (ONNX Runtime's fused and plain file, OpenVINO with dynamic and fixed
shapes, linnet with threads or sessions); at each length the fastest variant counts for its family.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from benchmarks.peers.environments import OWN

__all__ = ["ENGINES", "FAMILIES", "OURS", "REFERENCE", "EngineInfo"]

OURS = "linnet"
REFERENCE = "torch"
"""The engine whose answers are right by definition, in fp32."""

FAMILIES: Mapping[str, str] = {
    OURS: "linnet",
    "linnet-forward": "linnet without forward_fused",
    "linnet-eight-bits": "linnet with 8-bit activations",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "openvino-bf16": "OpenVINO in bfloat16",
    "torch": "PyTorch eager fp32",
    "executorch": "executorch.runtime, linnet's file",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """Description of an engine.

    Attributes:
        family: key of :data:`FAMILIES`.
        title: name for people.
        runner: name of its class, see :func:`benchmarks.peers.engines.open_engine`.
        file: the file it loads, a key of :data:`benchmarks.peers.files.MAKERS`.
        precision: "int8" or "fp32".
        environment: environment in which it runs, see :mod:`benchmarks.peers.environments`.
        distributions: packages that a user installs for it; for the peers without the tokenizer that they need.
        cold: program that answers ``TEXT`` with the file ``sys.argv[1]`` in a fresh interpreter; ``sys.argv[2]``
            is the thread count, ``sys.argv[3]`` has the text's token ids where no tokenizer is installed and
            is the path of tokenizer.json elsewhere; empty: this variant starts like another.
    """

    family: str
    title: str
    runner: str
    file: str
    precision: str = "int8"
    environment: str = OWN
    distributions: tuple[str, ...]
    cold: str = ""


_TOKENIZE = (
    "from tokenizers import Tokenizer\n"
    "ids = np.array([Tokenizer.from_file(sys.argv[3]).encode(TEXT).ids], dtype=np.int64)\n"
)
_COLD_ONNX = (
    "import numpy as np, onnxruntime as ort\n" + _TOKENIZE + "options = ort.SessionOptions()\n"
    "options.intra_op_num_threads = int(sys.argv[2])\n"
    "options.log_severity_level = 3\n"
    "session = ort.InferenceSession(sys.argv[1], options, providers=['CPUExecutionProvider'])\n"
    "session.run(None, {'input_ids': ids, 'attention_mask': np.ones_like(ids), 'token_type_ids': ids * 0})\n"
)
# The token ids are given: the environment has OpenVINO and no tokenizer, which saves it that import. The compiled
# model is cached beside the file, which is OpenVINO's own remedy for slow starts.
_COLD_OPENVINO = (
    "import json, numpy as np, openvino\n"
    "ids = np.array([json.loads(sys.argv[3])], dtype=np.int64)\n"
    "core = openvino.Core()\n"
    "core.set_property({'CACHE_DIR': sys.argv[1] + '/compiled'})\n"
    "config = {'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_NUM_THREADS': int(sys.argv[2])}\n"
    "compiled = core.compile_model(sys.argv[1] + '/model.xml', 'CPU', config)\n"
    "compiled({'input_ids': ids, 'attention_mask': np.ones_like(ids), 'token_type_ids': ids * 0})\n"
)
_COLD_TORCH = (
    "import numpy as np, torch\n"
    "from transformers import AutoModel\n" + _TOKENIZE + "torch.set_num_threads(int(sys.argv[2]))\n"
    "model = AutoModel.from_pretrained(sys.argv[1]).eval()\n"
    "with torch.inference_mode():\n"
    "    model(torch.from_numpy(ids)).last_hidden_state.mean(1).numpy()\n"
)
_COLD_EXECUTORCH = (
    "import numpy as np, torch, executorch.kernels.quantized\n"
    "from executorch.extension.pybindings import portable_lib\n"
    "from executorch.runtime import Runtime\n" + _TOKENIZE + "portable_lib._unsafe_reset_threadpool(int(sys.argv[2]))\n"
    "program = Runtime.get().load_program(sys.argv[1])\n"
    "method = program.load_method('forward')\n"
    "inputs = [torch.from_numpy(ids), torch.from_numpy(ids * 0)][:method.metadata.num_inputs()]\n"
    "method.execute(inputs)[0].numpy()\n"
)
_COLD_LINNET = "import linnet\nlinnet.load(sys.argv[1], threads=int(sys.argv[2])).encode(TEXT)\n"


def _linnet(
    title: str, file: str, *, runner: str = "linnet", family: str = OURS, precision: str = "int8", cold: str = ""
) -> EngineInfo:
    return EngineInfo(
        family=family,
        title=title,
        runner=runner,
        file=file,
        precision=precision,
        distributions=("linnet", "numpy"),
        cold=cold,
    )


def _onnx(title: str, file: str, *, precision: str = "int8", cold: str = "") -> EngineInfo:
    return EngineInfo(
        family="onnxruntime",
        title=title,
        runner="onnxruntime",
        file=file,
        precision=precision,
        distributions=("onnxruntime",),
        cold=cold,
    )


def _openvino(
    title: str, file: str, runner: str, *, family: str = "openvino", precision: str = "int8", cold: str = ""
) -> EngineInfo:
    return EngineInfo(
        family=family,
        title=title,
        runner=runner,
        file=file,
        precision=precision,
        environment="openvino",
        distributions=("openvino",),
        cold=cold,
    )


ENGINES: Mapping[str, EngineInfo] = {
    "linnet": _linnet("linnet int8", "linnet", cold=_COLD_LINNET),
    "linnet-forward": _linnet("linnet int8, forward", "linnet", runner="linnet-forward", family="linnet-forward"),
    "linnet-eight-bits": _linnet(
        "linnet int8, 8-bit activations", "linnet", runner="linnet-eight-bits", family="linnet-eight-bits"
    ),
    "linnet-sessions": _linnet("linnet int8, one session a thread", "linnet", runner="linnet-sessions"),
    "onnxruntime-fused": _onnx("ONNX Runtime int8, fused", "onnx-fused", cold=_COLD_ONNX),
    "onnxruntime-plain": _onnx("ONNX Runtime int8, as exported", "onnx-plain", cold=_COLD_ONNX),
    "openvino": _openvino("OpenVINO int8, dynamic shapes", "openvino-int8", "openvino-f32", cold=_COLD_OPENVINO),
    "openvino-reshaped": _openvino("OpenVINO int8, reshaped", "openvino-int8", "openvino-reshaped"),
    "openvino-reshaped-f32": _openvino("OpenVINO int8, reshaped, f32", "openvino-int8", "openvino-reshaped-f32"),
    "torch": EngineInfo(
        family="torch",
        title="PyTorch eager fp32",
        runner="torch",
        file="checkpoint",
        precision="fp32",
        distributions=("torch", "transformers"),
        cold=_COLD_TORCH,
    ),
    "executorch": EngineInfo(
        family="executorch",
        title="executorch.runtime, linnet's file",
        runner="executorch",
        file="linnet",
        distributions=("executorch", "torch"),
        cold=_COLD_EXECUTORCH,
    ),
    "linnet-fp32": _linnet("linnet fp32", "linnet-fp32", precision="fp32"),
    "onnxruntime-fp32-fused": _onnx("ONNX Runtime fp32, fused", "onnx-fp32-fused", precision="fp32"),
    "onnxruntime-fp32": _onnx("ONNX Runtime fp32, as exported", "onnx-fp32", precision="fp32"),
    "openvino-fp32": _openvino("OpenVINO fp32, reshaped", "openvino-fp32", "openvino-reshaped-f32", precision="fp32"),
    "openvino-bf16": _openvino(
        "OpenVINO, its default (bf16 where the CPU has it)",
        "openvino-fp32",
        "openvino-reshaped",
        family="openvino-bf16",
        precision="fp32",
    ),
}
