"""The measuring engine: variants take turns in fresh processes, and their results are collected.

A temporary disturbance of the machine then affects every variant, and none is measured on a warmer machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

from linnet_bench.machine.environment import Environment, read_environment
from linnet_bench.machine.state import State, read_state_before
from linnet_bench.measure.protocol import Emit, Event, Job, MeasureSettings, Variant
from linnet_bench.measure.runner import Collector, FileInfo, run_worker
from linnet_bench.record.record import ThreadRun
from linnet_bench.record.trace import TracedRuns

__all__ = ["Announce", "Cancelled", "Engine", "LocalRunner", "Runner", "rotated", "take_turns"]

_V = TypeVar("_V")

Announce: TypeAlias = Callable[[Variant, int, Event | None], None]
"""Callback for the variant, the round from 0, and an event of its process; None before the process starts."""


class Cancelled(Exception):
    """The user pressed Ctrl-C, in code where this does not raise KeyboardInterrupt."""


class Runner(Protocol):
    """Starts measured processes on one machine: Python here, or the C runner on a phone."""

    def state(self) -> State:
        """Return the current state of the machine that measures."""

    def environment(self, runtime: Mapping[str, str]) -> Environment:
        """Return the description of that machine, given the lines of its ``runtime_info()``."""

    def run(self, job: Job, collector: Collector, on_event: Emit) -> None:
        """Run a job in a fresh process and feed its events to ``collector``, then to ``on_event``.

        Raises:
            LinnetError: the process cannot be run, or ended without a reason.
            Cancelled: the user pressed Ctrl-C.
        """


class LocalRunner:
    """Starts Python processes on this machine."""

    def state(self) -> State:
        """Return this machine's current state; see :class:`Runner`."""
        return read_state_before()

    def environment(self, runtime: Mapping[str, str]) -> Environment:
        """Return this machine's description; see :class:`Runner`."""
        return read_environment(runtime)

    def run(self, job: Job, collector: Collector, on_event: Emit) -> None:
        """Run a job in a fresh Python process; see :class:`Runner`."""
        run_worker(job, collector, on_event)


def rotated(variants: Sequence[_V], turn: int) -> Sequence[_V]:
    """Return the variants in rotated order, so that each turn begins with another one."""
    start = turn % max(1, len(variants))
    return [*variants[start:], *variants[:start]]


def take_turns(
    variants: Iterable[_V],
    rounds: int,
    run: Callable[[_V, int], object],
    *,
    order: Callable[[Sequence[_V], int], Iterable[_V]] = lambda variants, _: variants,
    survivors: Callable[[Sequence[_V], int], Iterable[_V]] = lambda variants, _: variants,
) -> None:
    """Run every variant once in each round.

    Args:
        variants: variants in their first order.
        rounds: number of rounds of a variant that is never dropped.
        run: runs a variant, given the variant and the number of the round, from 0.
        order: returns the variants of a round in their order, lazily if it depends on what ran before.
        survivors: returns, after each round, the variants that run again.
    """
    running = list(variants)
    for turn in range(rounds):
        for variant in order(running, turn):
            run(variant, turn)
        running = list(survivors(running, turn))


class Engine:
    """Measures variants with a runner and keeps each finished result, so that an interruption loses only the current.

    Attributes:
        finished: each variant with the result of its process, in the order in which they ended.
        opened: by path, what the first process that opened the file reported about it.
        traced: inferences whose events were kept for a trace.
    """

    def __init__(
        self,
        settings: MeasureSettings,
        runner: Runner,
        announce: Announce,
        *,
        pause: Callable[[], object] = lambda: None,
    ) -> None:
        """Prepare the engine; start no process yet.

        Args:
            settings: settings of every process; only processes of the first round are profiled.
            runner: starts the processes.
            announce: callback for progress.
            pause: waits before each process but the first.
        """
        self._settings = settings
        self._runner = runner
        self._announce = announce
        self._pause = pause
        self._current: Collector | None = None
        self.finished: list[tuple[Variant, ThreadRun]] = []
        self.opened: dict[str, FileInfo] = {}
        self.traced: list[TracedRuns] = []

    def run(self, variant: Variant, turn: int = 0) -> ThreadRun | None:
        """Measure a variant once; return the result, None if the file was never opened.

        Raises:
            LinnetError: the process failed; results from before that are kept.
            Cancelled, KeyboardInterrupt: the user pressed Ctrl-C; results from before that are kept.
        """
        if self.opened:  # no pause before the first process
            self._pause()
        collector = self._current = Collector(variant.threads, self._runner.state(), turn)
        self._announce(variant, turn, None)
        job = Job(variant=variant, settings=self._settings if turn == 0 else self._plain())
        try:
            self._runner.run(job, collector, lambda event: self._announce(variant, turn, event))
        finally:
            run = self._keep(variant, collector)
        if collector.failure is not None:
            raise collector.failure
        return run

    def runs(self, path: str | None = None) -> list[ThreadRun]:
        """Return the results of one file, or of all files with the current unfinished run last."""
        runs = [run for variant, run in self.finished if path in (None, variant.path)]
        unfinished = self._current.result() if self._current is not None and path is None else None
        return [*runs, unfinished] if unfinished is not None else runs

    def first_opened(self) -> FileInfo | None:
        """Return what the first process that opened a file reported, even if it is still running."""
        current = self._current.opened if self._current is not None else None
        return next(iter(self.opened.values()), current)

    def _plain(self) -> MeasureSettings:
        return MeasureSettings(lengths=self._settings.lengths, sampling=self._settings.sampling)

    def _keep(self, variant: Variant, collector: Collector) -> ThreadRun | None:
        self._current = None
        if collector.opened is not None:
            self.opened.setdefault(variant.path, collector.opened)
        run = collector.result()
        if run is not None:
            self.finished.append((variant, run))
            if run.profiles:
                self.traced += collector.traced
        return run
