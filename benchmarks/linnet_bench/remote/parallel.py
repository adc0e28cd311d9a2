"""Measurement on several devices in parallel: one thread each, and Ctrl-C that reaches all."""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from linnet.errors import InternalError, LinnetError
from linnet_bench.measure.engine import Cancelled
from linnet_bench.remote.address import Address
from linnet_bench.remote.job import RemoteJob
from linnet_bench.remote.outcome import Device, Outcome, Report
from linnet_bench.remote.process_group import ProcessGroup
from linnet_bench.remote.progress_board import ProgressBoard

__all__ = ["clean_all", "run_all"]

_T = TypeVar("_T")
_POLL_SECONDS = 0.2  # longest delay until Ctrl-C takes effect


def run_all(
    addresses: Sequence[Address], job: RemoteJob, kinds: Mapping[str, Device], board: ProgressBoard
) -> list[Outcome]:
    """Run a job on all devices in parallel; a failure of one device does not end the others.

    This machine runs last and alone, because copying to the others would slow its measurement down.
    """

    def run(address: Address, report: Report, processes: ProcessGroup) -> Outcome:
        outcome = kinds[address.kind].run(address, job, report, processes)
        report("failed" if outcome.failure else "done")
        return outcome

    others = [address for address in addresses if address.kind != "local"]
    here = [address for address in addresses if address.kind == "local"]
    outcomes = [_ended(address, result) for address, result in _together(others, run, board)]
    if any(outcome.interrupted for outcome in outcomes):
        outcomes += [Outcome(address=address, interrupted=True) for address in here]
    else:
        outcomes += [_ended(address, result) for address, result in _together(here, run, board)]
    board.end()
    return sorted(outcomes, key=lambda outcome: addresses.index(outcome.address))


def clean_all(
    addresses: Sequence[Address], kinds: Mapping[str, Device], board: ProgressBoard
) -> list[tuple[Address, int | Exception]]:
    """Remove linnet's files from all devices; return for each the number of bytes, or the error."""

    def clean(address: Address, report: Report, processes: ProcessGroup) -> int:
        return kinds[address.kind].clean(address, report, processes)

    results = _together(addresses, clean, board)
    board.end()
    return results


def _ended(address: Address, error: Outcome | Exception) -> Outcome:
    if isinstance(error, Outcome):
        return error
    if isinstance(error, Cancelled):
        return Outcome(address=address, interrupted=True)
    if isinstance(error, LinnetError):
        return Outcome(address=address, failure=error)
    return Outcome(address=address, failure=InternalError(f"{type(error).__name__}: {error}"))


def _together(
    addresses: Sequence[Address], work: Callable[[Address, Report, ProcessGroup], _T], board: ProgressBoard
) -> list[tuple[Address, _T | Exception]]:
    lifelines = [ProcessGroup() for _ in addresses]
    ended: queue.SimpleQueue[tuple[Address, _T | Exception]] = queue.SimpleQueue()

    def one(address: Address, processes: ProcessGroup) -> None:
        try:
            ended.put((address, work(address, lambda text: board.say(address.name, text), processes)))
        except Exception as error:  # noqa: BLE001 - reported for this device, while the others continue
            ended.put((address, error))

    with _interrupts_counted() as interrupts:
        for pair in zip(addresses, lifelines, strict=True):
            threading.Thread(target=one, args=pair).start()
        results = dict(_take(ended, lifelines, interrupts) for _ in addresses)
    return [(address, results[address]) for address in addresses]


@dataclasses.dataclass
class _Interrupts:
    pressed: int = 0
    heeded: int = 0


@contextlib.contextmanager
def _interrupts_counted() -> Iterator[_Interrupts]:
    """Count Ctrl-C instead of raising: an exception between two waits would lose the results of the devices."""
    interrupts = _Interrupts()

    def count(_number: int, _frame: object) -> None:
        interrupts.pressed += 1

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupts  # SIGINT is ignored here, or another handler is installed
        return
    signal.signal(signal.SIGINT, count)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _take(ended: queue.SimpleQueue[_T], lifelines: Sequence[ProcessGroup], interrupts: _Interrupts) -> _T:
    """Wait for the next device that ends; pass Ctrl-C on to all devices meanwhile."""
    while True:
        try:
            return ended.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            while interrupts.heeded < interrupts.pressed:
                interrupts.heeded += 1
                for processes in lifelines:
                    processes.cancel()
