"""The measuring engine: variants take turns in fresh processes, and what each process gave is collected.

What disturbs a machine for a while then disturbs every variant, and none is measured on a warmer machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

from linnet_bench.machine.environment import Environment, read_environment
from linnet_bench.machine.state import State, read_state
from linnet_bench.measure.protocol import Emit, Event, Job, MeasureSettings, Variant
from linnet_bench.measure.runner import Collector, Opened, run_worker
from linnet_bench.record.record import ThreadRun
from linnet_bench.record.trace import TracedRuns

__all__ = ["Announce", "Cancelled", "Engine", "LocalRunner", "Runner", "rotated", "take_turns"]

_V = TypeVar("_V")

Announce: TypeAlias = Callable[[Variant, int, Event | None], None]
"""Is told the variant, the round from 0, and an event of its process; None before the process starts."""


class Cancelled(Exception):
    """The user pressed Ctrl-C, where that does not come as KeyboardInterrupt."""


class Runner(Protocol):
    """Starts measured processes on one machine: Python here, or the C runner on a phone."""

    def state(self) -> State:
        """Return the state of the machine that measures, as it is now."""

    def environment(self, runtime: Mapping[str, str]) -> Environment:
        """Return what that machine is, given the lines of its ``runtime_info()``."""

    def run(self, job: Job, collector: Collector, on_event: Emit) -> None:
        """Run a job in a fresh process and feed its events to ``collector``, then to ``on_event``.

        Raises:
            LinnetError: the process cannot be run, or ended without saying why.
            Cancelled: Ctrl-C came.
        """


class LocalRunner:
    """Python processes on this machine."""

    def state(self) -> State:
        """See :class:`Runner`."""
        return read_state()

    def environment(self, runtime: Mapping[str, str]) -> Environment:
        """See :class:`Runner`."""
        return read_environment(runtime)

    def run(self, job: Job, collector: Collector, on_event: Emit) -> None:
        """See :class:`Runner`."""
        run_worker(job, collector, on_event)


def rotated(variants: Sequence[_V], turn: int) -> Sequence[_V]:
    """Return the variants, beginning with another one each turn."""
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
        variants: in their first order.
        rounds: how many turns a variant has that stays.
        run: is given a variant and the round, from 0.
        order: gives the variants of a round in their order, lazily if it depends on what ran before.
        survivors: gives, after each round, the variants that run again.
    """
    running = list(variants)
    for turn in range(rounds):
        for variant in order(running, turn):
            run(variant, turn)
        running = list(survivors(running, turn))


class Engine:
    """Measures variants by a runner and keeps what is finished, so that an interruption loses nothing else.

    Attributes:
        finished: each variant with what its process gave, in the order of their end.
        opened: what the first process that opened its file said of it, by path.
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
        """Prepare; nothing runs yet.

        Args:
            settings: of every process; only those of the first round are profiled.
            runner: starts the processes.
            announce: is told what happens.
            pause: waits before each process but the first.
        """
        self._settings = settings
        self._runner = runner
        self._announce = announce
        self._pause = pause
        self._current: Collector | None = None
        self.finished: list[tuple[Variant, ThreadRun]] = []
        self.opened: dict[str, Opened] = {}
        self.traced: list[TracedRuns] = []

    def run(self, variant: Variant, turn: int = 0) -> ThreadRun | None:
        """Measure a variant once; return what came of it, None if the file was never opened.

        Raises:
            LinnetError: the process failed; what it gave before is kept.
            Cancelled, KeyboardInterrupt: so did the user.
        """
        if self.opened:
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
        """Return what there is of one file, or of all: the unfinished run of now comes last."""
        found = [run for variant, run in self.finished if path in (None, variant.path)]
        unfinished = self._current.result() if self._current is not None and path is None else None
        return [*found, unfinished] if unfinished is not None else found

    def first_opened(self) -> Opened | None:
        """Return what the first process said that opened a file, also if it still runs."""
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
