"""Scaling of two sessions on two threads: runs per second of two models over those of one.

    python benchmarks/studies/sessions.py FILE [--tokens 128] [--seconds 3]

One thread per model (threads=1), rounds of one and of two models alternating in one process. Below 1.7 the
sessions disturb each other (needs two idle cores).
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time

import numpy as np
import numpy.typing as npt

from linnet_runtime import Model


def inputs_of(model: Model, tokens: int) -> list[npt.NDArray[np.int64]]:
    """Return inputs of ``forward`` with ``tokens`` ids."""
    names = str(model.manifest["inputs"]).split("\n")
    return [np.full((1, tokens), 1 if name == "input_ids" else 0, np.int64) for name in names]


def runs_per_second(models: list[Model], tokens: int, seconds: float) -> float:
    """Run every model in a thread of its own for ``seconds`` and return all runs per second."""
    counts = [0] * len(models)
    inputs = inputs_of(models[0], tokens)

    def work(index: int) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            models[index].run("forward", inputs)
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(models))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


def main() -> None:
    """Print the ratio of each round and their median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    models = [Model(arguments.file, threads=1) for _ in range(2)]
    for model in models:
        model.run("forward", inputs_of(model, arguments.tokens))
    ratios = []
    for _ in range(arguments.rounds):
        one = runs_per_second(models[:1], arguments.tokens, arguments.seconds)
        two = runs_per_second(models, arguments.tokens, arguments.seconds)
        ratios.append(two / one)
        print(f"one model {one:.1f}/s, two models {two:.1f}/s, ratio {two / one:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
