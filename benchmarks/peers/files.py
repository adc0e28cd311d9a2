"""Files that the engines load, made first if they are missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.peers.catalogue import ENGINES
from benchmarks.peers.models import ModelSpec, checkpoint_folder, linnet_file, onnx_file, openvino_folder

__all__ = ["MAKERS", "engine_files"]

MAKERS: Mapping[str, Callable[[ModelSpec], Path]] = {
    "checkpoint": checkpoint_folder,
    "linnet": linnet_file,
    "linnet-fp32": lambda spec: linnet_file(spec, "fp32"),
    "onnx-plain": lambda spec: onnx_file(spec, "plain"),
    "onnx-fused": lambda spec: onnx_file(spec, "fused"),
    "onnx-fp32": lambda spec: onnx_file(spec, "plain", "fp32"),
    "onnx-fp32-fused": lambda spec: onnx_file(spec, "fused", "fp32"),
    "openvino-int8": lambda spec: openvino_folder(spec, "int8"),
    "openvino-fp32": lambda spec: openvino_folder(spec, "fp32"),
}
"""Functions that make the file or folder of a model, by the ``file`` of an engine."""


def engine_files(spec: ModelSpec, engines: Sequence[str], ours: Path | None = None) -> dict[str, Path]:
    """Return the file of each engine; ``ours`` replaces linnet's int8 file."""
    made: dict[str, Path] = {} if ours is None else {"linnet": ours.resolve()}
    for kind in dict.fromkeys(ENGINES[engine].file for engine in engines):
        if kind not in made:
            made[kind] = MAKERS[kind](spec)
    return {engine: made[ENGINES[engine].file] for engine in engines}
