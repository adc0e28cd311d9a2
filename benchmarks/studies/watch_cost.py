"""Cost of counting in Python and on a device: ``python -m benchmarks.studies.watch_cost``.

The model is the one that comes with linnet, on one thread. With and without counting alternate in one process; the
thread's processor time is measured, and the best of many rounds counts, so that other work on the machine does not.
"""

from __future__ import annotations

import argparse
import ctypes
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import linnet
import linnet_runtime
from linnet.assets import default_model
from linnet.cli.console import Console
from linnet.monitoring import Metrics

__all__ = ["main"]

TEXT = "turn the volume down"
_CALLS = 100


class _Text(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class _Engine(ctypes.Structure):
    _fields_ = [("run", ctypes.c_void_p), ("context", ctypes.c_void_p)]


def best_of(rounds: int, *calls: Callable[[], Any]) -> list[float]:
    """Return the fastest round of each call, in microseconds of processor time a call; the calls alternate."""
    fastest = [float("inf")] * len(calls)
    for _ in range(rounds):
        for place, call in enumerate(calls):
            start = time.thread_time()
            for _ in range(_CALLS):
                call()
            fastest[place] = min(fastest[place], (time.thread_time() - start) / _CALLS * 1e6)
    return fastest


def device_classifier(counting: bool) -> Callable[[], Any]:
    """Return a call of ``linnet_classify``, as an app in C makes it."""
    library = ctypes.CDLL(str(Path(linnet_runtime.__file__).parent / "lib" / "liblinnet.so"))
    model, task, engine = ctypes.c_void_p(), ctypes.c_void_p(), _Engine()
    options = ctypes.c_int32(1)  # linnet_open_options: one thread
    library.linnet_model_open(str(default_model()).encode(), ctypes.byref(options), ctypes.byref(model))
    library.linnet_model_task(model, ctypes.byref(task))
    library.linnet_model_engine(model, ctypes.byref(engine))
    if counting:
        library.linnet_stats_start(task, b"intents")
    text, pair, answers = _Text(TEXT.encode(), len(TEXT)), _Text(None, 0), ctypes.c_void_p()

    def classify() -> None:
        library.linnet_classify(task, ctypes.byref(engine), text, pair, 1, None, ctypes.byref(answers))
        library.linnet_answers_free(answers)

    return classify


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.watch_cost", description="cost of counting")
    parser.add_argument("--rounds", type=int, default=100, metavar="N", help="rounds of 100 calls (default 100)")
    rounds = parser.parse_args(arguments).rounds
    metrics = Metrics()
    plain, watched = linnet.load(threads=1), linnet.load(threads=1, watch=metrics)
    python = best_of(rounds, lambda: plain(TEXT), lambda: watched(TEXT))
    device = best_of(rounds, device_classifier(False), device_classifier(True))
    one = best_of(rounds, lambda: metrics.count("labels", model="intents", label="change_volume"),
                  lambda: metrics.observe("confidence", 0.93, model="intents"))  # fmt: skip
    rows = {"an answer in Python, with a watch": python, "an answer in C, with linnet_stats": device}
    table = [(name, f"{off:.1f} µs", f"{on:.1f} µs", f"{on - off:+.1f} µs") for name, (off, on) in rows.items()]
    console = Console()
    console.table(("what", "without", "with", "more"), table, right=(1, 2, 3))
    console.line(f"Metrics.count: {one[0]:.2f} µs, Metrics.observe: {one[1]:.2f} µs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
