"""Runs in the emulated machine's own Python, where only linnet and numpy are installed; prints one JSON object.

    python inside.py JOB.json

The job names files: ``verify`` (by recipe) for `linnet verify`, ``run`` for `linnet run` with its self-test,
``encode`` for the first example of README, ``open`` for files whose verdict is asked for. All is done in one process,
because starting Python takes seconds under emulation.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import linnet
from linnet.cli.main import main as command
from linnet.errors import LinnetError
from linnet.format.trailer import read_trailer
from linnet_runtime import Model, verify_file

TEXTS = ["turn the volume down", "make it quieter"]


def said(*arguments: str) -> dict[str, Any]:
    """Run the `linnet` command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = command(arguments)
    return {"status": status, "out": out.getvalue(), "err": err.getvalue()[-500:]}


def encode(file: str, *, fused: bool) -> dict[str, Any]:
    """README's first example, by XNNPACK or by linnet's own kernels."""
    model = linnet.load(file, threads=1, fused=fused)
    vectors = model.encode(TEXTS)
    model.close()
    return {"shape": vectors.shape, "dtype": str(vectors.dtype), "values": np.ravel(vectors).tolist()}


def verdict(action: Any, file: str) -> str:
    """Name of the status that opening ``file`` by ``action`` gives."""
    try:
        action(file)
    except LinnetError as error:
        return error.status_name
    return "LINNET_OK"


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Do the job."""
    threads = ("--threads", "1")
    found: dict[str, Any] = {"version": sys.version.split()[0], "verify": {}, "open": {}}
    for recipe, file in job["verify"].items():
        found["verify"][recipe] = said("verify", file, *threads, "--json")
    if job["run"] is not None:
        found["run"] = said("run", job["run"], TEXTS[0], *threads)
    if job["encode"] is not None:
        found["encode"] = encode(job["encode"], fused=False)
        found["encode_fused"] = encode(job["encode"], fused=True)
    for name, file in job["open"].items():
        found["open"][name] = [verdict(action, file) for action in (Model, verify_file, read_trailer)]
    return found


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
