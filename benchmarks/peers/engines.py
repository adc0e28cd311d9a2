"""The engines: each loads its file and turns token ids into one embedding.

A class imports its library when it loads, so that a process carries only the engine it measures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

__all__ = ["ENGINES", "Engine", "EngineInfo", "Ids", "Output", "open_engine"]

Ids = npt.NDArray[np.int64]
Output = npt.NDArray[np.float32]


class Engine(Protocol):
    """A loaded model."""

    def run(self, ids: Ids) -> Output:
        """Return the embedding, float32 [1, width], of token ids, int64 [1, tokens]."""


class Linnet:
    """linnet's runtime, through the same Python layer that applications use."""

    def __init__(self, path: Path, threads: int) -> None:
        from linnet_runtime import Model

        self._model = Model(str(path), threads)
        self._types = "token_type_ids" in str(self._model.manifest["inputs"]).split("\n")

    def run(self, ids: Ids) -> Output:
        inputs = [ids, np.zeros_like(ids)] if self._types else [ids]
        return self._model.run("forward", inputs)[0]


class OnnxRuntime:
    """ONNX Runtime with its CPU provider, all graph optimizations, spinning allowed (its defaults)."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(self, ids: Ids) -> Output:
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        output: Output = self._session.run(None, feed)[0]
        return output


class TorchEager:
    """The original model in float32, PyTorch eager, scaled-dot-product attention."""

    def __init__(self, path: Path, threads: int) -> None:
        import torch

        from benchmarks.peers.reference import load_embedder

        torch.set_num_threads(threads)
        self._torch = torch
        self._model = load_embedder(path)

    def run(self, ids: Ids) -> Output:
        tensor = self._torch.from_numpy(ids)
        with self._torch.inference_mode():
            output: torch.Tensor = self._model(tensor, self._torch.ones_like(tensor), self._torch.zeros_like(tensor))
        array: Output = output.numpy()
        return array


class ExecuTorch:
    """ExecuTorch's own Python runtime with linnet's file."""

    def __init__(self, path: Path, threads: int) -> None:
        import executorch.kernels.quantized  # noqa: F401  registers the operators that the file needs
        import torch
        from executorch.extension.pybindings import portable_lib
        from executorch.runtime import Runtime

        portable_lib._unsafe_reset_threadpool(threads)
        self._torch = torch
        # the program must outlive its method
        self._program = Runtime.get().load_program(path)
        method = self._program.load_method("forward")
        if method is None:
            raise RuntimeError(f"{path}: executorch.runtime finds no method forward")
        self._method = method
        self._inputs: int = method.metadata.num_inputs()

    def run(self, ids: Ids) -> Output:
        tensor = self._torch.from_numpy(ids)
        inputs = [tensor, self._torch.zeros_like(tensor)][: self._inputs]
        output: Any = self._method.execute(inputs)[0]
        array: Output = output.numpy()
        return array


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """What the comparison needs to know about an engine.

    Attributes:
        title: for people.
        file: what it loads: "linnet" (the .pte), "onnx-plain", "onnx-fused" or "checkpoint".
        distributions: what a user installs for it; of the peers without the tokenizer that they need.
        cold: program that answers ``TEXT`` with the file ``sys.argv[1]`` in a fresh interpreter;
            ``sys.argv[2]`` is the thread count, ``sys.argv[3]`` the tokenizer.json.
    """

    title: str
    file: str
    distributions: tuple[str, ...]
    cold: str


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

ENGINES: Mapping[str, EngineInfo] = {
    "linnet": EngineInfo(title="linnet int8", file="linnet", distributions=("linnet", "numpy"), cold=_COLD_LINNET),
    "onnxruntime-fused": EngineInfo(
        title="ONNX Runtime int8, fused",
        file="onnx-fused",
        distributions=("onnxruntime",),
        cold=_COLD_ONNX,
    ),
    "onnxruntime-plain": EngineInfo(
        title="ONNX Runtime int8, as exported",
        file="onnx-plain",
        distributions=("onnxruntime",),
        cold=_COLD_ONNX,
    ),
    "torch": EngineInfo(
        title="PyTorch eager fp32",
        file="checkpoint",
        distributions=("torch", "transformers"),
        cold=_COLD_TORCH,
    ),
    "executorch": EngineInfo(
        title="executorch.runtime, linnet's file",
        file="linnet",
        distributions=("executorch", "torch"),
        cold=_COLD_EXECUTORCH,
    ),
}

_CLASSES: Mapping[str, Callable[[Path, int], Engine]] = {
    "linnet": Linnet,
    "onnxruntime-fused": OnnxRuntime,
    "onnxruntime-plain": OnnxRuntime,
    "torch": TorchEager,
    "executorch": ExecuTorch,
}


def open_engine(name: str, path: Path, threads: int) -> Engine:
    """Load a file with an engine of :data:`ENGINES`.

    Raises:
        KeyError: unknown name.
    """
    return _CLASSES[name](path, threads)
