"""The `linnet` program, run in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

__all__ = ["cli", "good", "refused"]


def cli(*arguments: object, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``linnet`` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "linnet", *map(str, arguments)],
        input="" if stdin is None else stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, **environment},
    )


def good(*arguments: object, **options: Any) -> str:
    """Run it, demand status 0 and a silent stderr, and return stdout."""
    done = cli(*arguments, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(status: int, *arguments: object, **options: Any) -> str:
    """Run it, demand this status and one error line, and return that line."""
    done = cli(*arguments, **options)
    assert done.returncode == status, done.stderr
    lines = done.stderr.splitlines()
    assert len([line for line in lines if line.startswith("linnet: error: ")]) == 1
    assert "Traceback" not in done.stderr
    return lines[-1]
