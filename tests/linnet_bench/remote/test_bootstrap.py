"""What a device says before linnet is there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

# says that it has begun, then more than a pipe holds, so that the signal falls into the middle of a line
_TALKER = """
import os, signal, threading
from linnet_bench.remote.bootstrap import teller

signal.signal(signal.SIGINT, signal.default_int_handler)
emit = teller(1)
os.write(2, b"ready\\n")
try:
    emit(event="record", record="x" * 1_000_000)
    emit(event="never")
except KeyboardInterrupt:
    emit(event="failed", name="Interrupted")
"""


def test_an_event_is_told_whole_when_ctrl_c_falls_into_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _TALKER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        time.sleep(0.3)  # the pipe is full by then
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        said, _ = process.communicate(timeout=30)
    events = [json.loads(line) for line in said.splitlines()]
    assert [event["event"] for event in events] == ["record", "failed"]
    assert len(events[0]["record"]) == 1_000_000
