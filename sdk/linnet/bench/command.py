"""The command ``linnet bench``."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from pathlib import Path

from linnet.bench.arguments import joined, numbers
from linnet.bench.cold import cold_start
from linnet.bench.devices.arguments import add_device_arguments, wants_devices
from linnet.bench.environment import Environment, read_environment, read_state
from linnet.bench.files import file_sha256
from linnet.bench.progress import Progress
from linnet.bench.protocol import Event, Job
from linnet.bench.record import (
    ColdStart,
    FileFacts,
    Record,
    Settings,
    ThreadRun,
    write_record,
)
from linnet.bench.runner import Collector, Opened, run_worker
from linnet.bench.table import show_record
from linnet.bench.trace import TracedRuns, trace_json
from linnet.console import Console
from linnet.errors import (
    InvalidArgumentError,
    LinnetError,
)
from linnet.output import refuse_existing, write_text

__all__ = ["BenchCommand", "Bencher", "command", "default_threads", "settings_from"]

DEFAULT_LENGTHS = (8, 16, 32, 64, 128, 256, 512)
QUICK_LENGTHS = (8, 32, 128)
PROFILE_LENGTHS = (16, 128, 512)
TRACED = 5  # inferences of each length in a trace
DEFAULT_SECONDS, QUICK_SECONDS = 1.0, 0.2
DEFAULT_COLD, QUICK_COLD = 7, 3
WRONG_ANSWER, INTERRUPTED = 1, 130

_EPILOG = f"""\
For each thread count a fresh process loads the file, repeats its golden cases, warms up, times `forward`
at each length with the garbage collector off, and repeats the golden cases. For a wrong answer no latency
is reported and the exit status is {WRONG_ANSWER}. Percentiles are nearest-rank: latencies that occurred.

examples:
  linnet bench intents.pte
  linnet bench intents.pte --lengths 16,64 --threads 1,2,4 --samples 200
  linnet bench intents.pte --json intents-bench.json
  linnet bench intents.pte --profile --lengths 128 --threads 1 --trace intents-trace.json
  linnet bench intents.pte --device ssh://pi@raspberrypi.local --device local --json records/
"""


class BenchCommand:
    """Arguments, output and exit status; the measuring is :class:`Bencher`'s."""

    name = "bench"
    help = "measure a file's speed on this machine, or on others"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.epilog = _EPILOG
        parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a linnet file (.pte)")
        parser.add_argument(
            "--lengths", type=numbers, metavar="N,N,...", help=f"tokens (default {joined(DEFAULT_LENGTHS)})"
        )
        parser.add_argument(
            "--threads",
            type=numbers,
            metavar="N,N,...",
            help="thread counts (default 1,2; 1 on a single CPU)",
        )
        amount = parser.add_mutually_exclusive_group()
        amount.add_argument(
            "--seconds", type=float, metavar="S", help=f"time for each length (default {DEFAULT_SECONDS:g})"
        )
        amount.add_argument("--samples", type=int, metavar="N", help="samples for each length, instead of a time")
        parser.add_argument(
            "--cold",
            type=int,
            metavar="N",
            help=f"fresh processes for the cold start (default {DEFAULT_COLD})",
        )
        parser.add_argument("--quick", action="store_true", help="a rough look: few lengths, little time")
        parser.add_argument(
            "--profile",
            action="store_true",
            help=f"where the time goes, by operator and partition (default lengths {joined(PROFILE_LENGTHS)})",
        )
        parser.add_argument(
            "--trace",
            type=Path,
            metavar="OUT",
            help=f"profile, and write {TRACED} inferences of each length for chrome://tracing or Perfetto",
        )
        parser.add_argument("--json", type=Path, metavar="OUT", help="write the record, all samples included")
        parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
        add_device_arguments(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Measure, show, write; see the epilog for the exit status.

        Raises:
            LinnetError: the file cannot be measured; what had been finished before is shown and written.
        """
        if args.file is None and not args.clean_device:
            raise InvalidArgumentError("FILE is missing, needed a linnet file (.pte)")
        if wants_devices(args):
            from linnet.bench.devices.command import run_on_devices

            return run_on_devices(args, None if args.file is None else settings_from(args), TRACED)
        outputs = [out for out in (args.json, args.trace) if out is not None]
        if len(set(outputs)) < len(outputs):
            raise InvalidArgumentError(f"--json and --trace both name {args.trace}; give each its own file")
        for out in outputs:
            refuse_existing(out, force=args.force)
        bencher = Bencher(args.file, settings_from(args), Progress(sys.stderr))
        failure = bencher.measure()
        record = bencher.record()
        if record is not None:
            show_record(record, Console())
            if args.json is not None:
                write_record(record, args.json, force=args.force)
            if args.trace is not None and bencher.traced:
                write_text(trace_json(bencher.traced, trace_facts(record)), args.trace, force=args.force)
        if failure is not None:
            raise failure
        if bencher.interrupted:
            return INTERRUPTED
        return WRONG_ANSWER if record is not None and record.wrong else 0


command = BenchCommand()


def settings_from(args: argparse.Namespace) -> Settings:
    """Return the settings that the arguments mean.

    Raises:
        InvalidArgumentError: a number is out of range.
    """
    quick: bool = args.quick
    seconds = args.seconds
    if seconds is None and args.samples is None:
        seconds = QUICK_SECONDS if quick else DEFAULT_SECONDS
    cold = (QUICK_COLD if quick else DEFAULT_COLD) if args.cold is None else args.cold
    if cold < 0:
        raise InvalidArgumentError(f"--cold is {cold}, needed 0 (leave it out) or more")
    if args.samples is not None and args.samples < 1:
        raise InvalidArgumentError(f"--samples is {args.samples}, needed at least 1")
    if seconds is not None and not 0 < seconds <= 3600:
        raise InvalidArgumentError(f"--seconds is {seconds:g}, needed above 0 and at most 3600")
    profile = args.profile or args.trace is not None
    return Settings(
        lengths=args.lengths or (PROFILE_LENGTHS if profile else QUICK_LENGTHS if quick else DEFAULT_LENGTHS),
        threads=args.threads or default_threads(),
        seconds=seconds,
        samples=args.samples,
        cold_repeats=cold,
        profile=profile,
    )


def trace_facts(record: Record) -> dict[str, str | None]:
    """Return what a trace says about where it comes from."""
    machine = record.environment
    return {
        "file": record.file.name,
        "sha256": record.file.sha256,
        "cpu": machine.cpu,
        "linnet": machine.versions.linnet,
        "executorch": machine.versions.executorch,
        "created": record.created,
    }


class Bencher:
    """Measures one file and keeps what is finished, so that an interruption loses nothing else.

    Attributes:
        interrupted: Ctrl-C came.
        traced: inferences whose events were kept for a trace.
    """

    def __init__(self, path: Path, settings: Settings, progress: Progress) -> None:
        """Prepare; nothing runs yet.

        Raises:
            FileMissingError: there is no such file.
            FileUnreadableError: it cannot be read.
        """
        self._path = path
        self._settings = settings
        self._progress = progress
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._sha256 = file_sha256(path)
        self._opened: Opened | None = None
        self._runs: list[ThreadRun] = []
        self._current: Collector | None = None
        self._cold: ColdStart | None = None
        self._complete = False
        self.interrupted = False
        self.traced: list[TracedRuns] = []

    def measure(self) -> LinnetError | None:
        """Measure everything that was asked for; return the error that ended it early, if one did."""
        failure: LinnetError | None = None
        try:
            failure = self._measure_threads()
            if failure is None and not any(run.check.wrong for run in self._runs):
                self._measure_cold()
            self._complete = failure is None
        except KeyboardInterrupt:
            self.interrupted = True
        except LinnetError as error:
            failure = error
        finally:
            self._progress.end()
        return failure

    def record(self) -> Record | None:
        """Return what was measured so far; None if the file was never opened."""
        opened = self._opened or (self._current.opened if self._current else None)
        if opened is None:
            return None
        file: FileFacts = opened.file_facts(self._path, self._sha256)
        environment: Environment = read_environment(opened.runtime)
        unfinished = self._current.result() if self._current else None
        return Record(
            created=self._created,
            partial=not self._complete,
            settings=self._settings,
            file=file,
            environment=environment,
            runs=(*self._runs, unfinished) if unfinished else tuple(self._runs),
            cold_start=self._cold,
        )

    def _measure_threads(self) -> LinnetError | None:
        for threads in self._settings.threads:
            collector = self._current = Collector(threads, read_state())
            self._progress.say(f"{threads} thread(s): loading")
            job = Job(
                path=str(self._path),
                threads=threads,
                lengths=self._settings.lengths,
                seconds=self._settings.seconds,
                samples=self._settings.samples,
                profile=self._settings.profile,
                traced=TRACED if self._settings.profile else 0,
            )
            try:
                run_worker(job, collector, lambda event, threads=threads: self._on_event(threads, event))  # type: ignore[misc]
            finally:
                self._keep(collector)
            if collector.failure is not None:
                return collector.failure
        return None

    def _measure_cold(self) -> None:
        if self._settings.cold_repeats and self._opened is not None:
            self._progress.say("cold start")
            self._cold = cold_start(
                str(self._path), self._opened.example, self._settings.threads[0], self._settings.cold_repeats
            )

    def _on_event(self, threads: int, event: Event) -> None:
        if event["event"] == "measuring":
            self._progress.say(f"{threads} thread(s): {event['tokens']} tokens")

    def _keep(self, collector: Collector) -> None:
        self._current = None
        self._opened = self._opened or collector.opened
        result = collector.result()
        if result is not None:
            self._runs.append(result)
            if result.profiles:
                self.traced += collector.traced


def default_threads() -> tuple[int, ...]:
    """Return the thread counts that are measured where the user names none."""
    return (1,) if usable_cpus() == 1 else (1, 2)


def usable_cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
