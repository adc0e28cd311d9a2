"""Parallel map over a list of items, with one thread per worker."""

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
    """Call ``work(worker, item)()`` for every item; each worker processes one item at a time.

    ``work`` runs in parallel. The worker calls the function that it returns before it takes the next item, and no two
    of these functions run at the same time. One worker takes the items in their order. Several take them from the end,
    where the large ones are, so that all workers finish at about the same time. After the first exception, or
    Ctrl-C, every worker finishes its current item and stops; the exception is raised here.

    Args:
        workers: at least one; the calling thread runs the first.
        items: the items, sorted by rising size.
        work: takes a worker and an item, and returns the function that stores the result.
    """
    if len(workers) == 1 or len(items) < 2:
        for item in items:
            work(workers[0], item)()
        return
    # guards the list of items, and keeps the functions that `work` returned from running at the same time
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
        except BaseException as problem:  # noqa: BLE001  the calling thread raises it again
            problems.append(problem)

    others = [threading.Thread(target=run, args=(worker,)) for worker in workers[1 : len(items)]]
    for thread in others:
        thread.start()
    run(workers[0])
    for thread in others:
        thread.join()
    if problems:
        raise problems[0]
