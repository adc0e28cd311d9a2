"""Runs in the emulated machine's own Python: one engine, each length, with marks for the plugin; prints JSON.

    python inside.py JOB.json

For each length: inferences to warm up, a mark, no inference, a mark, one inference, a mark. What one costs more than
none is its cost, without that of the loop and of the marks.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.engines import open_engine

__all__ = ["MARK", "main"]

MARK = 0x4C490000
"""As in plugin/count.c."""


def _mark(number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.getpgid(MARK + number)


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Do the job: ``runner`` and ``file`` of :func:`open_engine`, ``ids`` of each length, number of ``warm`` runs."""
    engine = open_engine(job["runner"], Path(job["file"]), 1)
    gc.collect()
    gc.disable()
    answers = []
    mark = 0
    for ids in job["ids"]:
        texts = np.array([ids], dtype=np.int64)
        for _ in range(job["warm"]):
            engine.run(texts)
        for count in (0, 0, 1):
            for _ in range(count):
                answer = engine.run(texts)
            _mark(mark)
            mark += 1
        answers.append(answer[0].tolist())
    info = importlib.import_module("linnet_runtime").runtime_info() if job["runner"].startswith("linnet") else {}
    return {"answers": answers, "info": dict(info)}


if __name__ == "__main__":
    json.dump(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), sys.stdout)
