"""Streaming over HTTP: what ``linnet serve`` adds to each token of a chat.

    python -m benchmarks.studies.streaming smollm2.pte [--tokens 128] [--rounds 5]

The same text is generated in this process and as a stream of /v1/chat/completions, in turns; the difference of the
median times of a token is printed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.service import running_service
from linnet.loading import load
from linnet.runtime import runtime_info

__all__ = ["main"]

_MESSAGES = [{"role": "user", "content": "Tell me about small birds that live in gardens and on farms."}]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a linnet file of the task text-generation")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args(arguments)
    here: list[float] = []
    served: list[float] = []
    model = load(args.file, threads=1)
    with running_service(f"chat={args.file}") as service:
        for _ in range(args.rounds):
            here.append(_gap(_in_process(model, args.tokens)))
            served.append(_gap(_over_http(service.port, args.tokens)))
    one, other = statistics.median(here), statistics.median(served)
    print(f"{runtime_info().get('cpu', '')}, 1 thread, {args.tokens} tokens, median of {args.rounds} rounds")
    print(f"in process {one:.2f} ms a token, as a stream {other:.2f} ms: {other - one:+.2f} ms")
    return 0


def _in_process(model: Any, tokens: int) -> list[float]:
    return [time.perf_counter() for _ in model.stream(_MESSAGES, max_new_tokens=tokens, temperature=0.0)]


def _over_http(port: int, tokens: int) -> list[float]:
    body = {"model": "chat", "messages": _MESSAGES, "max_tokens": tokens, "temperature": 0, "stream": True}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    answer = connection.getresponse()
    times = []
    while line := answer.readline():
        if b'"content":' in line:
            times.append(time.perf_counter())
    return times


def _gap(times: Sequence[float]) -> float:
    """Return the mean time between two pieces, in milliseconds, the first piece left out."""
    return 1e3 * (times[-1] - times[1]) / (len(times) - 2)


if __name__ == "__main__":
    sys.exit(main())
