"""Files that decoders of other engines load, made once under build/bench, and what is missing for them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.paths import CACHE, ROOT
from benchmarks.peers.environments import OWN, interpreter

__all__ = ["DECODERS", "DecoderInfo", "Sources", "decoder_file"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sources:
    """What the files are made from.

    Attributes:
        linnet: file of linnet.
        checkpoint: Hugging Face folder of the original; None: not given.
        gguf: the same weights in llama.cpp's format; None: not given.
    """

    linnet: Path
    checkpoint: Path | None
    gguf: Path | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecoderInfo:
    """One engine.

    Attributes:
        runner: name of its class, see :func:`benchmarks.peers.decode_engines.open_decoder`.
        environment: environment in which it runs, see :mod:`benchmarks.peers.environments`.
        make: makes its file.
    """

    runner: str
    environment: str
    make: Callable[[Sources], Path]


_QUANTIZE = """
import sys, llama_cpp
params = llama_cpp.llama_model_quantize_default_params()
params.ftype = getattr(llama_cpp, "LLAMA_FTYPE_MOSTLY_" + sys.argv[3])
params.allow_requantize = True
sys.exit(llama_cpp.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), params))
"""


def _gguf(kind: str) -> Callable[[Sources], Path]:
    def make(sources: Sources) -> Path:
        source = _given(sources.gguf, "--gguf", "the weights in llama.cpp's format")
        made = CACHE / f"decoder-{_name(source)}-{kind}.gguf"
        if not made.is_file():
            partial = made.with_suffix(".partial")
            _run([interpreter("llama-cpp"), "-c", _QUANTIZE, str(source), str(partial), kind])
            partial.rename(made)
        return made

    return make


def _onnx(sources: Sources) -> Path:
    checkpoint = _given(sources.checkpoint, "--checkpoint", "the folder of the original")
    made = CACHE / f"decoder-{_name(checkpoint / 'config.json')}-onnx-int4"
    if not (made / "genai_config.json").is_file():
        # its builder needs PyTorch and transformers, which are here, beside the packages of its own environment
        packages = next(Path(interpreter("onnxruntime-genai")).parents[1].glob("lib/python3*/site-packages"))
        command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(checkpoint.resolve()), "-o",
                   str(made), "-p", "int4", "-e", "cpu"]  # fmt: skip
        _run(command, {**os.environ, "PYTHONPATH": str(packages)})
    return made


DECODERS: Mapping[str, DecoderInfo] = {
    "linnet": DecoderInfo(runner="linnet", environment=OWN, make=lambda sources: sources.linnet.resolve()),
    "llama.cpp Q8_0": DecoderInfo(runner="llama-cpp", environment="llama-cpp", make=_gguf("Q8_0")),
    "llama.cpp Q4_0": DecoderInfo(runner="llama-cpp", environment="llama-cpp", make=_gguf("Q4_0")),
    "ONNX Runtime GenAI int4": DecoderInfo(runner="onnxruntime-genai", environment="onnxruntime-genai", make=_onnx),
    "OpenVINO GenAI GGUF": DecoderInfo(
        runner="openvino-genai",
        environment="openvino-genai",
        make=lambda sources: _given(sources.gguf, "--gguf", "the weights in llama.cpp's format"),
    ),
    "PyTorch fp32": DecoderInfo(
        runner="torch",
        environment=OWN,
        make=lambda sources: _given(sources.checkpoint, "--checkpoint", "the folder of the original"),
    ),
}
"""The engines, by the names of the table. OpenVINO reads the GGUF file as it was given."""


def decoder_file(name: str, sources: Sources) -> Path:
    """Return the file of an engine, made first if it is missing.

    Raises:
        RuntimeError: it cannot be made here; the message says why.
    """
    info = DECODERS[name]
    _ = interpreter(info.environment)
    return info.make(sources)


def _given(path: Path | None, option: str, what: str) -> Path:
    if path is None or not path.exists():
        raise RuntimeError(f"expected {option} with {what}, got {path}")
    return path.resolve()


def _name(path: Path) -> str:
    """Return a name for what is made from a file: the beginning of the hash of its last megabyte, and its size."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - (1 << 20)))
        return f"{hashlib.sha256(file.read()).hexdigest()[:8]}-{path.stat().st_size}"


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-1500:]}")
