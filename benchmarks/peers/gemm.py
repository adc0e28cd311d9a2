"""Speed of int8 matrix products of one library: ``python -m benchmarks.peers.gemm LIBRARY JOB.json RESULT.json``.

Each shape is called repeatedly, so that its weights are in the caches, on one thread. The cost of a call without work
(the same call on an 8 x 8 layer and one row) is subtracted, which makes the peak higher and our share smaller.

=============  ====================================================================================
xnnpack        an ExecuTorch program of one linear layer as the recipe int8 writes it: XNNPACK's qd8-f32-qc8w
               GEMM with the quantization of its input, in executorch.runtime
onnxruntime    ``MatMulInteger`` of uint8 activations and constant int8 weights, int32 result (MLAS)
torch          ``torch._int_mm``, int8 x int8 to int32 (oneDNN)
=============  ====================================================================================
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

__all__ = ["LIBRARIES", "GemmJob", "main", "net_seconds"]

_SMALL = 8
Call = Callable[[], object]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GemmJob:
    """Job of a child process.

    Attributes:
        shapes: inputs and outputs of each linear layer.
        tokens: number of rows.
        seconds: sampling time for each shape.
    """

    shapes: list[list[int]]
    tokens: int
    seconds: float


def _xnnpack(tokens: int, inputs: int, outputs: int) -> Call:
    import executorch.kernels.quantized  # noqa: F401  registers the quantized kernels
    import torch
    from executorch.exir import EdgeCompileConfig, to_edge
    from executorch.extension.pybindings import portable_lib
    from executorch.runtime import Runtime

    from linnet_export.lower.executorch_compat import necessary_passes
    from linnet_export.lower.xnnpack import MergingXnnpackPartitioner
    from linnet_export.quantize.operators import ExpandQuantized, int8_linear

    class OneLinear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            draw = torch.Generator().manual_seed(0)
            self.register_buffer(
                "weight", torch.randint(-127, 128, (outputs, inputs), dtype=torch.int8, generator=draw)
            )
            self.register_buffer("scale", torch.full((outputs,), 0.01))
            self.register_buffer("zero_point", torch.zeros(outputs, dtype=torch.int64))
            self.register_buffer("bias", torch.zeros(outputs))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return int8_linear(x, self.weight, self.scale, self.zero_point, self.bias)

    partitioner = MergingXnnpackPartitioner()
    config = EdgeCompileConfig(
        _check_ir_validity=False, _skip_dim_order=True, preserve_ops=partitioner.whole_operators()
    )
    x = torch.randn(1, tokens, inputs, generator=torch.Generator().manual_seed(1))
    exported = torch.export.export(OneLinear().eval(), (x,), strict=False)
    edge = to_edge(exported, compile_config=config).transform([ExpandQuantized()])
    with necessary_passes():
        delegated = edge.to_backend(partitioner)
    delegated.compile_config = config
    program_bytes = delegated.to_executorch().buffer
    if portable_lib._threadpool_get_thread_count() != 1:
        # unsafe after a program was loaded, because XNNPACK keeps pointers into the pool
        portable_lib._unsafe_reset_threadpool(1)
    program = Runtime.get().load_program(program_bytes)
    method = program.load_method("forward")
    if method is None:
        raise RuntimeError("executorch.runtime finds no method forward")
    # keep a reference: the program must outlive its method
    return lambda keep=program: method.execute([x])  # type: ignore[misc]


def _onnxruntime(tokens: int, inputs: int, outputs: int) -> Call:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(0)
    weight = draw.integers(-127, 128, (inputs, outputs), dtype=np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "weight"], ["y"])],
        "gemm",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [tokens, inputs])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [tokens, outputs])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    x = onnxruntime.OrtValue.ortvalue_from_numpy(draw.integers(0, 256, (tokens, inputs), dtype=np.uint8))
    y = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((tokens, outputs), dtype=np.int32))
    binding.bind_ortvalue_input("x", x)
    binding.bind_ortvalue_output("y", y)
    return lambda: session.run_with_iobinding(binding)


def _torch(tokens: int, inputs: int, outputs: int) -> Call:
    import torch

    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(-128, 128, (tokens, inputs), dtype=torch.int8, generator=draw)
    # stored like the weight of a linear layer, [outputs, inputs], and used as a transposed view
    weight = torch.randint(-127, 128, (outputs, inputs), dtype=torch.int8, generator=draw).t()
    y = torch.empty(tokens, outputs, dtype=torch.int32)
    return lambda: torch._int_mm(x, weight, out=y)


LIBRARIES: Mapping[str, Callable[[int, int, int], Call]] = {
    "xnnpack": _xnnpack,
    "onnxruntime": _onnxruntime,
    "torch": _torch,
}


def net_seconds(call_seconds: float, empty_seconds: float) -> float:
    """Return the time of a call minus that of an empty call, but at least a tenth of the call."""
    return max(call_seconds - empty_seconds, 0.1 * call_seconds)


def _median_seconds(call: Call, seconds: float) -> float:
    for _ in range(5):
        call()
    samples: list[float] = []
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(samples) < 5:
        start = time.perf_counter()
        call()
        samples.append(time.perf_counter() - start)
    return float(np.median(samples))


def main(arguments: list[str]) -> int:
    """Measure each shape and write a JSON object: seconds of net work by "INPUTSxOUTPUTS"."""
    library, job_file, result_file = arguments
    job = GemmJob(**json.loads(Path(job_file).read_text(encoding="utf-8")))
    make = LIBRARIES[library]
    empty = _median_seconds(make(32 if library == "torch" else 1, _SMALL, _SMALL), job.seconds)
    seconds: dict[str, float] = {}
    for inputs, outputs in job.shapes:
        seconds[f"{inputs}x{outputs}"] = net_seconds(
            _median_seconds(make(job.tokens, inputs, outputs), job.seconds), empty
        )
    Path(result_file).write_text(json.dumps(seconds), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
