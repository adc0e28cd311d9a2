"""Real files whose golden cases are right, wrong, or missing."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from linnet.format.trailer import build_trailer, read_trailer

__all__ = ["BenchFiles", "make_bench_files"]

_TEXTS = ("turn up the light", "the music", "down")


@dataclasses.dataclass(frozen=True)
class BenchFiles:
    """One program (at most 24 tokens) with three kinds of evidence.

    Attributes:
        proven: golden cases as this machine answers.
        wrong: one number of one golden case is off by one.
        unproven: no golden cases.
    """

    proven: Path
    wrong: Path
    unproven: Path


def _golden_cases(file: Path, folder: Path) -> list[dict[str, Any]]:
    """Record golden cases in a process of its own: this one keeps no thread count."""
    texts, output, golden = (folder / name for name in ("texts.jsonl", "output.npz", "golden.json"))
    texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in _TEXTS))
    command = [sys.executable, "-m", "linnet.replay", "--model", str(file), "--texts", str(texts)]
    command += ["--output", str(output), "--golden", str(golden), "--cases", "3", "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cases: list[dict[str, Any]] = json.loads(golden.read_text())
    assert len(cases) == 3
    return cases


def _with_golden(file: Path, target: Path, cases: list[dict[str, Any]]) -> Path:
    trailer = read_trailer(file)
    program = file.read_bytes()[: trailer.program_size]
    target.write_bytes(program + build_trailer(program, trailer.ranges, {"golden": cases}))
    return target


def make_bench_files(toy: Path, folder: Path) -> BenchFiles:
    """Write proven.pte, wrong.pte and unproven.pte made of a small linnet file."""
    cases = _golden_cases(toy, folder)
    proven = _with_golden(toy, folder / "proven.pte", cases)
    spoiled = json.loads(json.dumps(cases))
    spoiled[1]["output"]["logits"]["values"][0] += 1.0
    return BenchFiles(
        proven=proven,
        wrong=_with_golden(toy, folder / "wrong.pte", spoiled),
        unproven=_with_golden(toy, folder / "unproven.pte", []),
    )
