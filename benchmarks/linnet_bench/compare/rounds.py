"""Latency, memory and cold start of several files, in fresh processes that take turns.

A temporary disturbance of the machine then affects every file, and no file is measured on a warmer machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from linnet.cli.console import counted
from linnet_bench.compare.result import Latency, Settings
from linnet_bench.measure.cold import ProcessRun, answer_program, run_fresh
from linnet_bench.measure.engine import Engine, LocalRunner, rotated, take_turns
from linnet_bench.measure.protocol import Event, MeasureSettings, Variant
from linnet_bench.measure.runner import FileInfo
from linnet_bench.record.preset import sampling_for
from linnet_bench.record.record import LengthResult, OutputCheck, ThreadRun
from linnet_bench.record.statistics import summarize
from linnet_bench.record.table import method_of

__all__ = ["Rounds"]

Say = Callable[[str], None]


class Rounds:
    """Measures files in rounds and keeps the results of each file."""

    def __init__(self, paths: Sequence[Path], labels: Sequence[str], settings: Settings, task: str, say: Say) -> None:
        self._paths = [str(path) for path in paths]
        self._labels = dict(zip(self._paths, labels, strict=True))
        self._settings = settings
        self._say = say
        self._cold: dict[str, list[ProcessRun]] = {path: [] for path in self._paths}
        sampling = sampling_for(task, settings.seconds)
        self._engine = Engine(
            MeasureSettings(lengths=settings.lengths, sampling=sampling), LocalRunner(), self._announce
        )

    def measure(self) -> None:
        """Run all rounds, then all cold starts; a file with a wrong answer is not timed again.

        Raises:
            LinnetError: a file cannot be run.
        """
        variants = [Variant(path=path, threads=threads) for threads in self._settings.threads for path in self._paths]
        take_turns(variants, self._settings.rounds, self._engine.run, order=self._order)
        turns = self._settings.cold_repeats + 1 if self._settings.cold_repeats else 0
        right = [path for path in self._paths if self._is_right(path)]
        take_turns(right, turns, self._start, order=rotated)

    def opened(self, index: int) -> FileInfo:
        """Return what the first process of one file reported about it."""
        return self._engine.opened[self._paths[index]]

    def check(self, index: int) -> OutputCheck:
        """Return the check of the golden cases of one file: a wrong one if there is one, else the last one."""
        checks = [run.check for run in self._engine.runs(self._paths[index])]
        return next((check for check in checks if check.wrong), checks[-1])

    def latencies(self, index: int) -> tuple[Latency, ...]:
        """Return the latencies of one file, of a decoder those of the prefill; none if an answer was wrong."""
        return self._latencies(index, lambda run: [(length.tokens, length) for length in run.lengths])

    def decoding(self, index: int) -> tuple[Latency, ...]:
        """Return the latencies of one token of a decoder; none if an answer was wrong."""
        return self._latencies(index, lambda run: [(result.context, result.token) for result in run.decoding])

    def _latencies(
        self, index: int, read: Callable[[ThreadRun], list[tuple[int, LengthResult]]]
    ) -> tuple[Latency, ...]:
        if self.check(index).wrong:
            return ()
        results: dict[tuple[int, int], list[LengthResult]] = {}
        for run in self._engine.runs(self._paths[index]):
            for tokens, result in read(run):
                results.setdefault((run.threads, tokens), []).append(result)
        return tuple(
            Latency(
                threads=threads,
                tokens=tokens,
                summary=summarize([sample for length in lengths for sample in length.samples_ns]),
                round_p50_ns=tuple(length.summary.p50_ns for length in lengths),
            )
            for (threads, tokens), lengths in sorted(results.items())
        )

    def method(self, index: int) -> str | None:
        """Return the method of one file that was timed; None if nothing was timed."""
        ran = [method_of(run) for run in self._engine.runs(self._paths[index])]
        return next((method for method in ran if method is not None), None)

    def peak_memory(self, index: int) -> int | None:
        """Return the largest peak memory of one file's processes, in bytes."""
        peaks = [run.peak_memory for run in self._engine.runs(self._paths[index])]
        return max((peak for peak in peaks if peak is not None), default=None)

    def cold(self, index: int) -> Sequence[ProcessRun]:
        """Return the cold starts of one file."""
        return self._cold[self._paths[index]]

    def _is_right(self, path: str) -> bool:
        return not any(run.check.wrong for run in self._engine.runs(path))

    def _order(self, variants: Sequence[Variant], turn: int) -> Iterator[Variant]:
        """Yield the files whose answers are still right, for one thread count after the other."""
        for threads in self._settings.threads:
            of_threads = [variant for variant in variants if variant.threads == threads]
            yield from rotated([variant for variant in of_threads if self._is_right(variant.path)], turn)

    def _announce(self, variant: Variant, turn: int, event: Event | None) -> None:
        if event is None:
            label = self._labels[variant.path]
            self._say(f"round {turn + 1} of {self._settings.rounds}: {label}, {counted(variant.threads, 'thread')}")

    def _start(self, path: str, turn: int) -> None:
        self._say("cold start")
        program = answer_program(self._engine.opened[path].example)
        fresh = run_fresh(program, (path, str(self._settings.threads[0])))
        if turn:  # the first start fills the page cache and is not counted
            self._cold[path].append(fresh)
