"""The benchmark of one file: alternating thread counts, cold start, and the resulting record."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from linnet.cli.console import counted
from linnet.errors import LinnetError
from linnet_bench.machine.environment import current_affinity
from linnet_bench.measure.cold import cold_start
from linnet_bench.measure.engine import Cancelled, Engine, LocalRunner, Runner, take_turns
from linnet_bench.measure.files import file_sha256
from linnet_bench.measure.protocol import Event, MeasureSettings, Variant
from linnet_bench.record.preset import estimated_seconds
from linnet_bench.record.record import INTERRUPTED_WORDS, ColdStart, Record, Settings
from linnet_bench.record.trace import TracedRuns

__all__ = ["TRACED", "Benchmark", "BenchmarkRequest", "default_threads", "usable_cpus"]

TRACED = 5  # inferences of each length in a trace

_LONG = 120.0  # seconds; a longer measurement announces how long it will take

Say: TypeAlias = Callable[[str], object]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkRequest:
    """Settings of a benchmark that another machine runs.

    Attributes:
        settings: settings of the measurement.
        own_threads: the user named no thread counts, so the machine uses those that suit its CPUs.
        command: command line as typed, for the record.
    """

    settings: Settings
    own_threads: bool
    command: str = ""


class Benchmark:
    """Measures one file and keeps every finished result, so that an interruption loses only the current one.

    Attributes:
        interrupted: the user pressed Ctrl-C.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        say: Say,
        *,
        runner: Runner | None = None,
        command: str = "",
        device: str = "",
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Prepare the benchmark; start no process yet.

        Args:
            path: path of the file on this machine.
            settings: what to measure.
            say: callback for progress messages.
            runner: starts processes on the machine that measures; None: this machine.
            command: command line as typed, for the record.
            device: name of the machine that measures, for the record.
            sleep: waits for a number of seconds.

        Raises:
            FileMissingError: there is no such file.
            FileUnreadableError: it cannot be read.
        """
        self._path = path
        self._settings = settings
        self._say = say
        self._runner = LocalRunner() if runner is None else runner
        self._command = command
        self._device = device
        self._sleep = sleep
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._sha256 = file_sha256(path)
        of_each = MeasureSettings(
            lengths=settings.lengths,
            sampling=settings.sampling,
            profile=settings.profile,
            traced=TRACED if settings.profile else 0,
        )
        self._engine = Engine(of_each, self._runner, self._announce, pause=self._cool_down)
        self._cold: ColdStart | None = None
        self._complete = False
        self._reason = "still under way"
        self.interrupted = False

    @property
    def traced(self) -> Sequence[TracedRuns]:
        """Return the inferences whose events were kept for a trace."""
        return self._engine.traced

    def measure(self) -> LinnetError | None:
        """Measure everything requested; return the error that ended the measurement early, if any."""
        least = estimated_seconds(self._settings)
        if least >= _LONG:
            self._say(f"this takes at least {least / 60:.0f} minutes; Ctrl-C keeps what is finished")
        try:
            take_turns(self._variants(), self._settings.repeats, self._engine.run, survivors=self._survivors)
            if not self._wrong():
                self._measure_cold()
            self._complete = True
        except (KeyboardInterrupt, Cancelled):
            self.interrupted = True
            self._reason = INTERRUPTED_WORDS
        except LinnetError as error:
            self._reason = str(error)
            return error
        return None

    def record(self) -> Record | None:
        """Return the record of what was measured so far; None if that is nothing: of an interrupted first process."""
        opened, runs = self._engine.first_opened(), tuple(self._engine.runs())
        if opened is None or (self.interrupted and not any(run.lengths for run in runs)):
            return None
        return Record(
            created=self._created,
            partial=not self._complete,
            partial_reason="" if self._complete else self._reason,
            settings=self._settings,
            file=opened.file_facts(self._path, self._sha256),
            environment=self._runner.environment(opened.runtime),
            runs=runs,
            cold_start=self._cold,
            device=self._device,
            command=self._command,
        )

    def _variants(self) -> list[Variant]:
        settings = self._settings
        return [
            Variant(
                path=str(self._path),
                threads=threads,
                fused=settings.fused,
                affinity=settings.affinity,
                activation_bits=settings.activation_bits,
            )
            for threads in settings.threads
        ]

    def _survivors(self, variants: Sequence[Variant], turn: int) -> Sequence[Variant]:
        return () if self._wrong() else variants

    def _wrong(self) -> bool:
        return any(run.check.wrong for run in self._engine.runs())

    def _cool_down(self) -> None:
        if self._settings.cooldown_seconds:
            self._say(f"cooling down for {self._settings.cooldown_seconds:g} s")
            self._sleep(self._settings.cooldown_seconds)

    def _announce(self, variant: Variant, turn: int, event: Event | None) -> None:
        repeats = self._settings.repeats
        which = f"repeat {turn + 1} of {repeats}, " if repeats > 1 else ""
        doing = "loading" if event is None else f"{event['tokens']} tokens" if event["event"] == "measuring" else ""
        if doing:
            self._say(f"{which}{counted(variant.threads, 'thread')}: {doing}")

    def _measure_cold(self) -> None:
        opened = self._engine.first_opened()
        if self._settings.cold_repeats and opened is not None:
            self._say("cold start")
            self._cold = cold_start(
                str(self._path), opened.example, self._settings.threads[0], self._settings.cold_repeats
            )


def default_threads() -> tuple[int, ...]:
    """Return the thread counts to measure if the user names none."""
    return (1,) if usable_cpus() == 1 else (1, 2)


def usable_cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(current_affinity())
