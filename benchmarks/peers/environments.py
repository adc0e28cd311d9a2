"""Virtual environments of peers, separate from the project's own; made once and kept.

``openvino`` contains OpenVINO only, so its size on disk and its cold start are those of a plain installation;
``nncf`` quantizes for it. The other three are those of decoders; llama.cpp is compiled on this machine, with its own
flags for this processor.
``fastapi`` is a server with ONNX Runtime. None has PyTorch. Versions come from ``constraints.txt``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping

from benchmarks.paths import CACHE, ROOT

__all__ = ["OWN", "PACKAGES", "constrained", "interpreter"]

OWN = ""
"""The environment that runs this process."""

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "openvino": ("openvino", "numpy", "packaging"),
    "nncf": ("nncf", "openvino", "onnx", "numpy"),
    "llama-cpp": ("llama-cpp-python", "numpy"),
    "onnxruntime-genai": ("onnxruntime-genai", "onnx-ir", "numpy"),
    "fastapi": ("fastapi", "uvicorn", "httptools", "uvloop", "onnxruntime", "tokenizers", "numpy"),
    "openvino-genai": ("openvino-genai", "numpy"),
}
"""Packages of each environment; ``packaging`` reads the requirements of installed distributions."""


def interpreter(environment: str) -> str:
    """Return the Python of an environment; make the environment first if it is missing or has other versions.

    Raises:
        RuntimeError: it could not be made; the message ends with pip's output.
    """
    if environment == OWN:
        return sys.executable
    folder = CACHE / f"{environment}-venv"
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    wanted = constrained(PACKAGES[environment], (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    text = "\n".join([sys.version, *wanted])
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == text:
        return str(python)
    print(f"== environment for {', '.join(wanted)}", file=sys.stderr, flush=True)
    if folder.exists():
        shutil.rmtree(folder)
    _run([sys.executable, "-m", "venv", str(folder)], environment)
    # none of these packages requires PyTorch, so no CUDA build is installed
    source = ["--no-binary", "llama-cpp-python"]  # a wheel of it is for any processor
    _run([str(python), "-m", "pip", "--disable-pip-version-check", "-qq", "install", *source, *wanted], environment)
    stamp.write_text(text, encoding="utf-8")
    return str(python)


def constrained(packages: tuple[str, ...], constraints: str) -> list[str]:
    """Return each package with its version in a constraints file, or without one if it is not listed there."""
    pinned = {name: line for line in constraints.splitlines() for name in re.findall(r"^([\w.-]+)==", line)}
    return [pinned.get(package, package) for package in packages]


def _run(command: list[str], environment: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-1500:]
        raise RuntimeError(
            f"the environment {environment} could not be made; leave its engine out with --without, or see:\n{said}"
        )
