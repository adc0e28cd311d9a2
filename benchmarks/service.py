"""A running ``linnet serve`` that a benchmark measures."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["RunningService", "running_service"]


class RunningService(NamedTuple):
    """A service in a process of its own: its address, its TCP port, and the id of its process."""

    url: str
    port: int
    process: int


@contextlib.contextmanager
def running_service(*arguments: str) -> Iterator[RunningService]:
    """Run ``linnet serve`` at a free port, with one thread for each worker, until the block ends."""
    command = [sys.executable, "-m", "linnet", "serve", *arguments, "--port", "0", "--threads", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            yield RunningService(url, int(url.rpartition(":")[2]), process.pid)
        finally:
            process.terminate()
