"""Thousands of damaged files: never a crash, damage to what is parsed refused at load, the rest found by verify."""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from linnet.format.trailer import FOOTER_SIZE, read_trailer

ROOT = Path(__file__).resolve().parents[3]
FILE_ERRORS = {
    "LINNET_NOT_A_PROGRAM",
    "LINNET_NOT_A_LINNET_FILE",
    "LINNET_FILE_TRUNCATED",
    "LINNET_PROGRAM_DAMAGED",
    "LINNET_TRAILER_DAMAGED",
}
Case = tuple[dict[str, Any], dict[str, str]]


def run_worker(file: Path, seed: int, count: int, environment: dict[str, str]) -> list[Case]:
    command = [
        sys.executable,
        "-m",
        "tests.runtime_bindings.runtime.corruption_worker",
        str(file),
        str(seed),
        str(count),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"died with {done.returncode} at {lines[-1:]}: {done.stderr[-2000:]}"
    tried = [json.loads(line[4:]) for line in lines if line.startswith("try ")]
    got = [json.loads(line[4:]) for line in lines if line.startswith("got ")]
    assert len(tried) == len(got) == count
    return list(zip(tried, got, strict=True))


def damaged_cases(file: Path, count: int, environment: dict[str, str]) -> list[Case]:
    """Spread ``count`` cases over two processes at a time, 250 in each."""
    jobs = [(seed, min(250, count - 250 * seed)) for seed in range((count + 249) // 250)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(lambda job: run_worker(file, job[0], job[1], environment), jobs)
        return [case for cases in results for case in cases]


def is_parsed(at: int, file: Path) -> bool:
    """Tell whether byte ``at`` is header, program section, delegate section, or the hash of these."""
    trailer, size = read_trailer(file), file.stat().st_size
    inside = any(offset <= at < offset + length for offset, length in trailer.ranges)
    return inside or size - FOOTER_SIZE + 48 <= at < size - FOOTER_SIZE + 80


def check(cases: list[Case], file: Path) -> None:
    parsed = {at for spec, _ in cases for at, _ in spec.get("bytes", [])}
    parsed = {at for at in parsed if is_parsed(at, file)}
    for spec, got in cases:
        assert got["load"] in {"LINNET_OK", *FILE_ERRORS}, (spec, got)
        assert got["verify"] != "LINNET_OK", (spec, got)
        if spec["kind"] == "truncate" or any(at in parsed for at, _ in spec.get("bytes", [])):
            assert got["load"] in FILE_ERRORS, (spec, got)
    outcomes = collections.Counter(got["load"] for _, got in cases)
    assert outcomes["LINNET_OK"] > len(cases) / 50  # flips in weights and evidence do load
    assert outcomes["LINNET_PROGRAM_DAMAGED"] > len(cases) / 50


def test_damaged_copies_of_a_small_file(toy: Path, python_environment: dict[str, str]) -> None:
    check(damaged_cases(toy, 1500, python_environment), toy)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_damaged_copies_of_a_real_file(real_file: Path, python_environment: dict[str, str]) -> None:
    count = int(os.environ.get("LINNET_CORRUPTIONS", "10000"))
    check(damaged_cases(real_file, count, python_environment), real_file)
