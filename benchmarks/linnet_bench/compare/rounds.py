"""Latency, memory and cold start of several files, in fresh processes that take turns.

What disturbs a machine for a while then disturbs every file, and no file is measured on a warmer one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from linnet_bench.compare.result import Latency, Settings
from linnet_bench.machine.environment import read_state
from linnet_bench.measure.cold import Fresh, answer_program, run_fresh
from linnet_bench.measure.protocol import Job
from linnet_bench.measure.runner import Collector, Opened, run_worker
from linnet_bench.record.record import LengthResult, OutputCheck, ThreadRun
from linnet_bench.record.statistics import summarize
from linnet_bench.record.table import method_of

__all__ = ["Rounds"]

Say = Callable[[str], None]


class Rounds:
    """Measures and keeps what each file gave.

    Attributes:
        opened: what each file's first process said about it.
    """

    def __init__(self, paths: Sequence[Path], labels: Sequence[str], settings: Settings, say: Say) -> None:
        self._paths = paths
        self._labels = labels
        self._settings = settings
        self._say = say
        self._runs: list[list[ThreadRun]] = [[] for _ in paths]
        self._cold: list[list[Fresh]] = [[] for _ in paths]
        self.opened: list[Opened | None] = [None for _ in paths]

    def measure(self) -> None:
        """Run all rounds, then all cold starts; a file with a wrong answer is not timed again.

        Raises:
            LinnetError: a file cannot be run.
        """
        for turn in range(self._settings.rounds):
            for threads in self._settings.threads:
                for index in self._order(turn):
                    self._say(
                        f"round {turn + 1} of {self._settings.rounds}: {self._labels[index]}, {threads} thread(s)"
                    )
                    self._run(index, threads)
        for turn in range(self._settings.cold_repeats + 1 if self._settings.cold_repeats else 0):
            self._say("cold start")
            for index in self._order(turn):
                fresh = self._start(index)
                if turn:  # the first one fills the page cache
                    self._cold[index].append(fresh)

    def check(self, index: int) -> OutputCheck:
        """Return the worst verdict on the golden cases of one file."""
        checks = [run.check for run in self._runs[index]]
        return next((check for check in checks if check.wrong), checks[-1])

    def latencies(self, index: int) -> tuple[Latency, ...]:
        """Return the latencies of one file; none if an answer was wrong."""
        if self.check(index).wrong:
            return ()
        results: dict[tuple[int, int], list[LengthResult]] = {}
        for run in self._runs[index]:
            for each in run.lengths:
                results.setdefault((run.threads, each.tokens), []).append(each)
        return tuple(
            Latency(
                threads=threads,
                tokens=tokens,
                summary=summarize([sample for each in found for sample in each.samples_ns]),
                round_p50_ns=tuple(each.summary.p50_ns for each in found),
            )
            for (threads, tokens), found in sorted(results.items())
        )

    def method(self, index: int) -> str | None:
        """Return the method of one file that was timed; None if nothing was."""
        ran = [method_of(run) for run in self._runs[index]]
        return next((each for each in ran if each is not None), None)

    def peak_memory(self, index: int) -> int | None:
        """Return the most memory that a process of one file took, in bytes."""
        return max((run.peak_memory for run in self._runs[index] if run.peak_memory is not None), default=None)

    def cold(self, index: int) -> Sequence[Fresh]:
        """Return the fresh processes of one file."""
        return self._cold[index]

    def _order(self, turn: int) -> list[int]:
        """Files that still answer rightly; each round begins with another one."""
        right = [index for index, runs in enumerate(self._runs) if not any(run.check.wrong for run in runs)]
        start = turn % max(1, len(right))
        return right[start:] + right[:start]

    def _run(self, index: int, threads: int) -> None:
        collector = Collector(threads, read_state())
        lengths, seconds = self._settings.lengths, self._settings.seconds
        job = Job(path=str(self._paths[index]), threads=threads, lengths=lengths, seconds=seconds, samples=None)
        run_worker(job, collector, lambda event: None)
        if collector.failure is not None:
            raise collector.failure
        self.opened[index] = self.opened[index] or collector.opened
        result = collector.result()
        if result is not None:
            self._runs[index].append(result)

    def _start(self, index: int) -> Fresh:
        opened = self.opened[index]
        assert opened is not None
        return run_fresh(answer_program(opened.example), (str(self._paths[index]), str(self._settings.threads[0])))
