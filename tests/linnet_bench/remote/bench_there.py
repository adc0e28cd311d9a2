"""``linnet bench`` as the user of a private sshd."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.linnet_bench.remote.server import Server

__all__ = ["WHEELS", "NewServer", "bench_words", "run_bench"]

ROOT = Path(__file__).resolve().parents[3]
WHEELS = ROOT / "build" / "install"
QUICK = ("--threads", "1", "--lengths", "4,8", "--samples", "3", "--cold", "0")

NewServer: TypeAlias = Callable[..., AbstractContextManager[Server]]


def bench_words(file: Path, *arguments: str | Path) -> Sequence[str]:
    """Return the command line of a short ``linnet bench``."""
    if not list(WHEELS.glob("linnet-*.whl")):
        pytest.skip("no wheel in build/install: make .venv/.linnet")
    words = [sys.executable, "-m", "linnet", "bench", str(file), "--wheel", str(WHEELS), *QUICK]
    return [*words, *map(str, arguments)]


def run_bench(server: Server, file: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it as the user of ``server``."""
    return subprocess.run(
        bench_words(file, *arguments), env=server.environment, capture_output=True, text=True, check=False, timeout=300
    )
