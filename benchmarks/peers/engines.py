"""Engines that load a file and convert token ids to one embedding.

A class imports its library when it loads, so that a process contains only the engine it measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

__all__ = ["Engine", "Ids", "Output", "open_engine"]

Ids = npt.NDArray[np.int64]
Output = npt.NDArray[np.float32]


class Engine(Protocol):
    """A loaded model."""

    def run(self, ids: Ids) -> Output:
        """Return embeddings, float32 [batch, width], of token ids, int64 [batch, tokens]."""


class Linnet:
    """linnet's runtime, through the same Python layer that applications use; a batch is one text after another."""

    def __init__(self, path: Path, threads: int) -> None:
        from linnet_runtime import Model

        self._model = Model(str(path), threads)
        self._types = "token_type_ids" in str(self._model.manifest["inputs"]).split("\n")

    def run(self, ids: Ids) -> Output:
        if len(ids) > 1:
            return np.concatenate([self.run(row[np.newaxis]) for row in ids])
        inputs = [ids, np.zeros_like(ids)] if self._types else [ids]
        return self._model.run("forward", inputs)[0]


class LinnetForward(Linnet):
    """linnet's runtime with ``forward``, the method that every ExecuTorch runtime can run."""

    def __init__(self, path: Path, threads: int) -> None:
        super().__init__(path, threads)
        self._model.set_fused(False)


class LinnetEightBits(Linnet):
    """linnet's runtime with activations of 8 bits, also where it would take 7."""

    def __init__(self, path: Path, threads: int) -> None:
        super().__init__(path, threads)
        self._model.set_activation_bits(8)


class LinnetSessions:
    """As many sessions as threads, each on one thread, like ``linnet.load(file, threads=1, sessions=n)``."""

    def __init__(self, path: Path, threads: int) -> None:
        self._sessions = [Linnet(path, 1) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)

    def run(self, ids: Ids) -> Output:
        count = len(self._sessions)
        running = [self._pool.submit(session.run, ids[at::count]) for at, session in enumerate(self._sessions)]
        outputs = [future.result() for future in running]
        together = np.empty((len(ids), outputs[0].shape[1]), dtype=np.float32)
        for at, output in enumerate(outputs):
            together[at::count] = output
        return together


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


class OpenVino:
    """OpenVINO's CPU plugin with its latency hint; the file is a folder with ``model.xml``.

    Args of the constructor:
        reshape: compile again for each shape instead of once with dynamic shapes.
        precision: for layers not in int8, as ``INFERENCE_PRECISION_HINT``; None: the plugin's choice, bfloat16 where
            the CPU has it.
    """

    def __init__(self, path: Path, threads: int, *, reshape: bool = False, precision: str | None = None) -> None:
        import openvino

        self._core = openvino.Core()
        self._file = str(path / "model.xml")
        self._config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        if precision is not None:
            self._config["INFERENCE_PRECISION_HINT"] = precision
        self._reshape = reshape
        self._shape: tuple[int, ...] = ()
        self._request: Any = None

    def run(self, ids: Ids) -> Output:
        if self._request is None or (self._reshape and ids.shape != self._shape):
            self._compile(ids.shape)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        output: Output = self._request.infer(feed, share_inputs=True, share_outputs=True)[0]
        return output

    def _compile(self, shape: tuple[int, ...]) -> None:
        model = self._core.read_model(self._file)
        if self._reshape:
            model.reshape({tensor.any_name: list(shape) for tensor in model.inputs})
        self._request = self._core.compile_model(model, "CPU", self._config).create_infer_request()
        self._shape = shape


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
        # keep a reference: the program must outlive its method
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


_CLASSES: Mapping[str, Callable[[Path, int], Engine]] = {
    "linnet": Linnet,
    "linnet-forward": LinnetForward,
    "linnet-eight-bits": LinnetEightBits,
    "linnet-sessions": LinnetSessions,
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVino,
    "openvino-f32": lambda path, threads: OpenVino(path, threads, precision="f32"),
    "openvino-reshaped": lambda path, threads: OpenVino(path, threads, reshape=True),
    "openvino-reshaped-f32": lambda path, threads: OpenVino(path, threads, reshape=True, precision="f32"),
    "torch": TorchEager,
    "executorch": ExecuTorch,
}


def open_engine(runner: str, path: Path, threads: int) -> Engine:
    """Load a file with a class of this module, by the ``runner`` of :class:`benchmarks.peers.catalogue.EngineInfo`.

    Raises:
        KeyError: unknown name.
    """
    return _CLASSES[runner](path, threads)
