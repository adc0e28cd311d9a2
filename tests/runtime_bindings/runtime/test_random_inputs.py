"""Ten thousand random inputs and texts: an answer or the right named error each time, and never a crash."""

from __future__ import annotations

import collections
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CASES, PROCESSES = 10_000, 4


def run_worker(file: Path, seed: int, environment: dict[str, str]) -> dict[str, int]:
    count = str(CASES // PROCESSES)
    command = [sys.executable, "-m", "tests.runtime_bindings.runtime.random_inputs_worker", str(file), str(seed), count]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"died with {done.returncode}: {done.stderr[-2000:]}"
    *wrong, last = done.stdout.splitlines()
    assert wrong == []
    verdicts: dict[str, int] = json.loads(last)
    return verdicts


def test_random_inputs_and_texts(toy: Path, python_environment: dict[str, str]) -> None:
    verdicts: collections.Counter[str] = collections.Counter()
    with ThreadPoolExecutor(max_workers=2) as pool:
        for counts in pool.map(lambda seed: run_worker(toy, seed, python_environment), range(PROCESSES)):
            verdicts.update(counts)
    assert sum(verdicts.values()) == 2 * CASES
    for kind in (
        "run LINNET_OK",
        "run LINNET_INPUT_SHAPE",
        "run LINNET_INPUT_OUT_OF_RANGE",
        "encode LINNET_OK",
        "encode LINNET_INVALID_UTF8",
        "encode LINNET_INVALID_ARGUMENT",
        "encode LINNET_TEXT_TOO_LONG",
    ):
        assert verdicts[kind] > CASES / 100, verdicts
