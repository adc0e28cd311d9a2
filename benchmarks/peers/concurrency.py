"""Scaling of two sessions in two threads: ``python -m benchmarks.peers.concurrency FILE TOKENS SECONDS``.

Prints one JSON object. The process has one thread per session (``threads=1``); rounds of one and two
sessions alternate, and scaling is the ratio of their throughputs: 2.0 is perfect.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.peers.engines import Engine, Ids, Linnet
from linnet_bench.record.statistics import median

__all__ = ["Scaling", "main", "measure_scaling"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scaling:
    """Throughput of two sessions over that of one.

    Attributes:
        tokens: length of each input.
        ratio: median of the rounds.
        low, high: smallest and largest round.
    """

    tokens: int
    ratio: float
    low: float
    high: float


def measure_scaling(path: Path, tokens: int, seconds: float, rounds: int = 5) -> Scaling:
    """Measure in this process; ``seconds`` for each of the two halves of a round."""
    ids: Ids = np.full((1, tokens), 2000, dtype=np.int64)
    sessions: list[Engine] = [Linnet(path, 1), Linnet(path, 1)]
    for session in sessions:
        session.run(ids)
    ratios = [_throughput(sessions, ids, seconds) / _throughput(sessions[:1], ids, seconds) for _ in range(rounds)]
    return Scaling(tokens=tokens, ratio=median(ratios), low=min(ratios), high=max(ratios))


def _throughput(sessions: list[Engine], ids: Ids, seconds: float) -> float:
    """Return runs per second of all sessions together, each in a thread of its own."""
    counts = [0] * len(sessions)
    barrier = threading.Barrier(len(sessions) + 1)
    stop = threading.Event()

    def work(index: int) -> None:
        barrier.wait()
        while not stop.is_set():
            sessions[index].run(ids)
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(sessions))]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


def main(arguments: list[str]) -> int:
    """Print the scaling of a file as JSON."""
    path, tokens, seconds = arguments
    print(json.dumps(dataclasses.asdict(measure_scaling(Path(path), int(tokens), float(seconds)))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
