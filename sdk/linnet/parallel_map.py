"""A list of work shared between several workers, each on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["parallel_map"]

Worker = TypeVar("Worker")
Item = TypeVar("Item")


def parallel_map(
    workers: Sequence[Worker], items: Sequence[Item], work: Callable[[Worker, Item], Callable[[], None]]
) -> None:
    """Do ``work(worker, item)()`` for every item, each worker one item at a time.

    ``work`` runs in parallel; what it returns is called before its worker goes on, and never at the same time as
    another's. One worker takes the items in their order; several take them from the end, which is where the large
    ones stand, so that all end together. The first exception stops everybody after the item at hand and is raised
    here; so does Ctrl-C.

    Args:
        workers: at least one; the calling thread works for the first.
        items: what there is to do, small ones first.
        work: as above.
    """
    if len(workers) == 1 or len(items) < 2:
        for item in items:
            work(workers[0], item)()
        return
    lock = threading.Lock()
    waiting = list(items)
    problems: list[BaseException] = []

    def run(worker: Worker) -> None:
        try:
            while True:
                with lock:
                    if problems or not waiting:
                        return
                    item = waiting.pop()
                finish = work(worker, item)
                with lock:
                    finish()
        except BaseException as problem:  # noqa: BLE001  raised again by the calling thread
            problems.append(problem)

    others = [threading.Thread(target=run, args=(worker,)) for worker in workers[1 : len(items)]]
    for thread in others:
        thread.start()
    run(workers[0])
    for thread in others:
        thread.join()
    if problems:
        raise problems[0]
