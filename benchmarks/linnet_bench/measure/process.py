"""Worker processes that read a job as JSON from stdin and write events to stdout, one JSON object a line."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from linnet_bench.measure.protocol import Emit, Event

__all__ = ["Ended", "run_process"]

_END_SECONDS = 5.0  # time for a worker to exit by itself before it is killed

Ended = tuple[int, str]
"""Exit status of the process (negative: the signal that killed it) and the last line it wrote to stderr."""


def run_process(module: str, job: Mapping[str, Any], on_event: Emit) -> Ended:
    """Run ``python -m module``, write ``job`` to its stdin and pass every event of its stdout to ``on_event``.

    The process never outlives this call, even if it is interrupted.
    """
    # -P: a json.py in the user's folder must not shadow the standard library's
    command = [sys.executable, "-P", "-m", module]
    # a file, because a full pipe that is not read would block the process
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors_said,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors_said, encoding="utf-8"
        ) as process,
    ):
        try:
            for event in _events(process, job):
                on_event(event)
            process.wait()
        except BaseException:
            _end(process)
            raise
        errors_said.seek(0)
        said = errors_said.read()
    return process.returncode, " ".join(said.strip().splitlines()[-1:])


def _events(process: subprocess.Popen[str], job: Mapping[str, Any]) -> Iterator[Event]:
    assert process.stdin is not None
    assert process.stdout is not None
    # a process that died at once is recognised by its exit status
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(job))
        process.stdin.close()
    for line in process.stdout:
        yield json.loads(line)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
