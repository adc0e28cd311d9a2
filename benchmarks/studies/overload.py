"""A service at more than it can do: memory, refusals and recovery of ``linnet serve``.

    python -m benchmarks.studies.overload minilm.pte [--seconds 600]

wrk (Debian's package) asks with 1 000 connections, which is more than the queue holds. Every request must be answered,
with 200 or 429; the resident memory of service and workers is read each second; afterwards one request is timed.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from benchmarks.service import running_service
from linnet_serve.models.process_memory import process_bytes

__all__ = ["main"]

_CONNECTIONS = 1000
_BODY = json.dumps({"inputs": "turn the volume down and open the door of the bank " * 4, "truncate": True})
_GROWTH = 1.05
_RECOVERY_SECONDS = 1.0
_WARM_SECONDS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; return 1 if memory grew, a request got no answer, or the service did not recover."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a linnet file of the task feature-extraction")
    parser.add_argument("--seconds", type=int, default=600)
    args = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk", file=sys.stderr)
        return 4
    with tempfile.TemporaryDirectory() as folder, running_service(str(args.file)) as service:
        return _overload(Path(folder), service.url, service.process, args.seconds)


def _overload(folder: Path, url: str, process: int, seconds: int) -> int:
    script = folder / "post.lua"
    script.write_text(f'wrk.method = "POST"\nwrk.body = {json.dumps(_BODY)}\n')
    sizes: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(1.0):
            sizes.append(_resident(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    wrk = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script), f"{url}/embed"]
    said = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
    begun = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/embed", _BODY.encode()), timeout=60) as answer:
        answer.read()
    recovered = time.perf_counter() - begun
    stop.set()
    watcher.join()
    return _verdict(said, sizes, recovered, seconds)


def _verdict(said: str, sizes: Sequence[int], recovered: float, seconds: int) -> int:
    answered = int(_number(r"(\d+) requests in", said))
    refused = int(_number(r"Non-2xx or 3xx responses: (\d+)", said))
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    lost = sum(map(int, errors.groups())) if errors else 0
    warm = sizes[min(_WARM_SECONDS, len(sizes) // 2) :]
    first, last = max(warm[: max(1, len(warm) // 4)]), max(warm[-max(1, len(warm) // 4) :])
    print(f"{seconds} s with {_CONNECTIONS} connections")
    print(f"answered {answered}: {answered - refused} with 200, {refused} refused with 429; without an answer {lost}")
    print(f"memory of all processes: {first / 1e6:.1f} MB in the first quarter, {last / 1e6:.1f} MB in the last")
    print(f"the next request took {1e3 * recovered:.0f} ms")
    good = lost == 0 and last <= _GROWTH * first and recovered <= _RECOVERY_SECONDS
    print("memory is flat, every request was answered" if good else "NOT MET")
    return 0 if good else 1


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def _resident(process: int) -> int:
    """Return the resident memory of a process and its children, in bytes."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if process in (parent, int(entry.name)):
                total += process_bytes(entry.name, "VmRSS")
        except (OSError, IndexError):
            continue  # it has ended meanwhile
    return total


if __name__ == "__main__":
    sys.exit(main())
