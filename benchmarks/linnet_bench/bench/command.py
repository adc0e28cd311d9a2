"""The command ``linnet bench``."""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.output import refuse_existing, write_text
from linnet.errors import (
    InvalidArgumentError,
    LinnetError,
)
from linnet_bench.arguments import CUT, command_line, cpu_set, joined, numbers, say_cut
from linnet_bench.bench.device_arguments import add_device_arguments, wants_devices
from linnet_bench.machine.environment import Environment, current_affinity, read_environment
from linnet_bench.machine.state import read_state
from linnet_bench.measure.cold import cold_start
from linnet_bench.measure.files import file_sha256
from linnet_bench.measure.progress import Progress
from linnet_bench.measure.protocol import Event, Job
from linnet_bench.measure.runner import Collector, Opened, run_worker
from linnet_bench.record.method import DEFAULT, HEADLINE, OFFICIAL, QUICK, estimated_seconds
from linnet_bench.record.record import (
    INTERRUPTED_WORDS,
    ColdStart,
    FileFacts,
    Record,
    Settings,
    ThreadRun,
    write_record,
)
from linnet_bench.record.table import show_record
from linnet_bench.record.trace import TracedRuns, trace_facts, trace_json

__all__ = ["Bencher", "add_arguments", "default_threads", "job_for", "run", "settings_from"]

PROFILE_LENGTHS = (16, 128, 512)
TRACED = 5  # inferences of each length in a trace
WRONG_ANSWER, INTERRUPTED = 1, 130
_LONG = 120.0  # seconds from which a measurement announces how long it will take

_EPILOG = f"""\
For each thread count a fresh process loads the file, repeats its golden cases, warms up, times `forward`
at each length with the garbage collector off, and repeats the golden cases. For a wrong answer no latency
is reported and the exit status is {WRONG_ANSWER}. Percentiles are nearest-rank: latencies that occurred.

--official follows MLPerf Mobile's single stream: at least {OFFICIAL.least_samples} samples and {OFFICIAL.seconds:.0f} s
for each length, p{HEADLINE} as the headline, {OFFICIAL.repeats} repeats and their spread, with pauses of
{OFFICIAL.cooldown_seconds:.0f} s. It takes hours; docs/how-to/benchmarking.md says more.

examples:
  linnet bench intents.pte
  linnet bench intents.pte --lengths 16,64 --threads 1,2,4 --samples 200
  linnet bench intents.pte --json intents-bench.json
  linnet bench intents.pte --official --lengths 32,128 --threads 2 --json official.json
  linnet bench intents.pte --profile --lengths 128 --threads 1 --trace intents-trace.json
  linnet bench intents.pte --device ssh://pi@raspberrypi.local --device local --json records/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a linnet file (.pte)")
    parser.add_argument(
        "--lengths", type=numbers, metavar="N,N,...", help=f"tokens, {CUT} (default {joined(DEFAULT.lengths)})"
    )
    parser.add_argument(
        "--threads",
        type=numbers,
        metavar="N,N,...",
        help="thread counts (default 1,2; 1 on a single CPU)",
    )
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument(
        "--seconds", type=float, metavar="S", help=f"time for each length (default {DEFAULT.seconds:g})"
    )
    amount.add_argument("--samples", type=int, metavar="N", help="samples for each length, instead of a time")
    parser.add_argument(
        "--cold",
        type=int,
        metavar="N",
        help=f"fresh processes for the cold start (default {DEFAULT.cold_repeats})",
    )
    add_method_arguments(parser)
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


def run(args: argparse.Namespace) -> int:
    """Measure, show, write; see the epilog for the exit status.

    Raises:
        LinnetError: the file cannot be measured; what had been finished before is shown and written.
    """
    if args.file is None and not args.clean_device:
        raise InvalidArgumentError("FILE is missing, needed a linnet file (.pte)")
    if wants_devices(args):
        from linnet_bench.bench.devices import run_on_devices

        return run_on_devices(args, None if args.file is None else settings_from(args), TRACED)
    outputs = [out for out in (args.json, args.trace) if out is not None]
    if len(set(outputs)) < len(outputs):
        raise InvalidArgumentError(f"--json and --trace both name {args.trace}; give each its own file")
    for out in outputs:
        refuse_existing(out, force=args.force)
    bencher = Bencher(args.file, settings_from(args), Progress(sys.stderr), command=command_line())
    failure = bencher.measure()
    record = bencher.record()
    if record is not None:
        say_cut(args.lengths, record.file.max_length)
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


def add_method_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how long, how often and where it runs."""
    add = parser.add_argument
    add("--repeats", type=int, metavar="N", help=f"processes of each thread count (default {DEFAULT.repeats})")
    add("--cooldown", type=float, metavar="S",
        help=f"pause before each process but the first (default {DEFAULT.cooldown_seconds:g})")  # fmt: skip
    method = parser.add_mutually_exclusive_group()
    method.add_argument("--quick", action="store_true", help="a rough look: few lengths, little time")
    method.add_argument("--official", action="store_true", help="the method of MLPerf Mobile; takes hours")
    add("--affinity", type=cpu_set, default=(), metavar="CPUS", help="bind the processes to these CPUs, as in 0,4-7")
    add("--fused", choices=("auto", "yes", "no"), default="auto",
        help="linnet's own attention, if the file has it (default auto: where it is faster)")  # fmt: skip


def settings_from(args: argparse.Namespace) -> Settings:
    """Return the settings that the arguments mean: those of the method, and what was said besides.

    Raises:
        InvalidArgumentError: a number is out of range, or contradicts the official method; all of them at once.
    """
    method = QUICK if args.quick else OFFICIAL if args.official else DEFAULT
    profile = args.profile or args.trace is not None
    given = Settings(
        lengths=args.lengths or (PROFILE_LENGTHS if profile else method.lengths),
        threads=args.threads or default_threads(),
        seconds=method.seconds if args.seconds is None and args.samples is None else args.seconds,
        samples=args.samples,
        cold_repeats=method.cold_repeats if args.cold is None else args.cold,
        profile=profile,
        method=method.name,
        least_samples=method.least_samples,
        most_samples=method.most_samples,
        warmup_seconds=method.warmup_seconds,
        warmup_runs=method.warmup_runs,
        repeats=method.repeats if args.repeats is None else args.repeats,
        cooldown_seconds=method.cooldown_seconds if args.cooldown is None else args.cooldown,
        fused={"auto": None, "yes": True, "no": False}[args.fused],
        affinity=args.affinity,
    )
    problems = [*_out_of_range(given), *(_against_official(given) if args.official else ())]
    if problems:
        raise InvalidArgumentError("; ".join(problems))
    return given


def _out_of_range(settings: Settings) -> Iterator[str]:
    if settings.cold_repeats < 0:
        yield f"--cold is {settings.cold_repeats}, needed 0 (leave it out) or more"
    if settings.samples is not None and settings.samples < 1:
        yield f"--samples is {settings.samples}, needed at least 1"
    if settings.seconds is not None and not 0 < settings.seconds <= 3600:
        yield f"--seconds is {settings.seconds:g}, needed above 0 and at most 3600"
    if settings.repeats < 1:
        yield f"--repeats is {settings.repeats}, needed at least 1"
    if not 0 <= settings.cooldown_seconds <= 3600:
        yield f"--cooldown is {settings.cooldown_seconds:g}, needed 0 to 3600"


def _against_official(settings: Settings) -> Iterator[str]:
    if settings.samples is not None:
        yield f"--official takes at least {OFFICIAL.least_samples} samples by itself; leave out --samples"
    if settings.seconds is not None and settings.seconds < OFFICIAL.seconds:
        yield f"--seconds is {settings.seconds:g}, --official needed at least {OFFICIAL.seconds:g}"
    if settings.repeats < OFFICIAL.repeats:
        yield f"--repeats is {settings.repeats}, --official needed at least {OFFICIAL.repeats}"


class Bencher:
    """Measures one file and keeps what is finished, so that an interruption loses nothing else.

    Attributes:
        interrupted: Ctrl-C came.
        traced: inferences whose events were kept for a trace.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        progress: Progress,
        *,
        command: str = "",
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            path: of the file.
            settings: what to measure.
            progress: told what happens.
            command: for the record.
            sleep: waits for so many seconds.

        Raises:
            FileMissingError: there is no such file.
            FileUnreadableError: it cannot be read.
        """
        self._path = path
        self._settings = settings
        self._progress = progress
        self._command = command
        self._sleep = sleep
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._sha256 = file_sha256(path)
        self._opened: Opened | None = None
        self._runs: list[ThreadRun] = []
        self._current: Collector | None = None
        self._cold: ColdStart | None = None
        self._complete = False
        self._now = ""
        self._reason = "still under way"
        self.interrupted = False
        self.traced: list[TracedRuns] = []

    def measure(self) -> LinnetError | None:
        """Measure everything that was asked for; return the error that ended it early, if one did."""
        failure: LinnetError | None = None
        least = estimated_seconds(self._settings)
        if least >= _LONG:
            self._progress.say(f"this takes at least {least / 60:.0f} minutes; Ctrl-C keeps what is finished")
        try:
            failure = self._measure_threads()
            if failure is None and not any(run.check.wrong for run in self._runs):
                self._measure_cold()
            self._complete = failure is None
        except KeyboardInterrupt:
            self.interrupted = True
            self._reason = INTERRUPTED_WORDS
        except LinnetError as error:
            failure = error
        finally:
            self._progress.end()
        if failure is not None:
            self._reason = str(failure)
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
            partial_reason="" if self._complete else self._reason,
            settings=self._settings,
            file=file,
            environment=environment,
            runs=(*self._runs, unfinished) if unfinished else tuple(self._runs),
            cold_start=self._cold,
            command=self._command,
        )

    def _measure_threads(self) -> LinnetError | None:
        """Every thread count once, then again for each repeat: what disturbs for a while disturbs all."""
        for repeat in range(self._settings.repeats):
            for threads in self._settings.threads:
                if self._opened is not None:
                    self._cool_down()
                failure = self._measure_once(threads, repeat)
                if failure is not None:
                    return failure
            if any(run.check.wrong for run in self._runs):
                return None
        return None

    def _cool_down(self) -> None:
        if self._settings.cooldown_seconds:
            self._progress.say(f"cooling down for {self._settings.cooldown_seconds:g} s")
            self._sleep(self._settings.cooldown_seconds)

    def _measure_once(self, threads: int, repeat: int) -> LinnetError | None:
        turn = f"repeat {repeat + 1} of {self._settings.repeats}, " if self._settings.repeats > 1 else ""
        self._now = f"{turn}{threads} thread(s)"
        collector = self._current = Collector(threads, read_state(), repeat)
        self._progress.say(f"{self._now}: loading")
        try:
            run_worker(job_for(self._path, self._settings, threads, repeat), collector, self._on_event)
        finally:
            self._keep(collector)
        return collector.failure

    def _measure_cold(self) -> None:
        if self._settings.cold_repeats and self._opened is not None:
            self._progress.say("cold start")
            self._cold = cold_start(
                str(self._path), self._opened.example, self._settings.threads[0], self._settings.cold_repeats
            )

    def _on_event(self, event: Event) -> None:
        if event["event"] == "measuring":
            self._progress.say(f"{self._now}: {event['tokens']} tokens")

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


def job_for(path: Path, settings: Settings, threads: int, repeat: int = 0) -> Job:
    """Return what one measured process shall do; only the first repeat is profiled."""
    profile = settings.profile and repeat == 0
    return Job(
        path=str(path),
        threads=threads,
        lengths=settings.lengths,
        seconds=settings.seconds,
        samples=settings.samples,
        profile=profile,
        traced=TRACED if profile else 0,
        least_samples=settings.least_samples,
        most_samples=settings.most_samples,
        warmup_seconds=settings.warmup_seconds,
        warmup_runs=settings.warmup_runs,
        fused=settings.fused,
        affinity=settings.affinity,
    )


def usable_cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(current_affinity())
