"""A running ``linnet serve`` for tests, with its address and a client."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

__all__ = ["Served", "serving", "wait_until"]

_SECONDS = 60.0


class Served:
    """A service in a process of its own.

    Attributes:
        url: its address.
        process: its process.
        client: HTTP client with that address.
        log: path of what it writes to standard error.
    """

    def __init__(self, process: subprocess.Popen[str], started: Mapping[str, Any], log: Path) -> None:
        self.process, self.log = process, log
        self.url: str = started["url"]
        self.models: list[dict[str, Any]] = started["models"]
        if self.url.startswith("unix:"):
            transport = httpx.HTTPTransport(uds=self.url.removeprefix("unix:"))
            self.client = httpx.Client(base_url="http://localhost", transport=transport, timeout=_SECONDS)
        else:
            self.client = httpx.Client(base_url=self.url, timeout=_SECONDS, verify=False)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.client.post(path, json=body, **more)

    def workers(self) -> list[int]:
        """Return the process ids of the workers, which are its children."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(fields[1]) == self.process.pid and fields[0] != "Z":
                        found.append(int(entry.name))
        return sorted(found)


@contextlib.contextmanager
def serving(folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run ``linnet serve`` at a free port until the block ends; its log goes into the folder."""
    log = folder / "serve.log"
    command = [sys.executable, "-m", "linnet", "serve", *map(str, arguments), "--json"]
    if "--socket" not in arguments and "--port" not in arguments:
        command += ["--port", "0"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **(environment or {})}
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"it did not start: {log.read_text()[-2000:]}"
            served = Served(process, json.loads(line), log)
            with served.client:
                yield served
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    """Wait until a condition is true; fail after some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.05)
