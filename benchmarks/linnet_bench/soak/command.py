"""The command ``linnet soak``."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.cli.command import thread_count
from linnet.cli.console import Console, counted
from linnet.cli.exit_status import CHECK_FAILED, INTERRUPTED, OK
from linnet.cli.output import check_not_input, check_output_path
from linnet.errors import InternalError, LinnetError
from linnet.loading import load
from linnet_bench.arguments import (
    CUT,
    add_output_arguments,
    joined,
    numbers,
    refuse_surplus,
    say_cut,
    write_output,
)
from linnet_bench.machine.environment import State, read_environment, read_state_before
from linnet_bench.measure.files import file_sha256
from linnet_bench.measure.process import run_process
from linnet_bench.measure.progress import Progress
from linnet_bench.measure.protocol import Event
from linnet_bench.record.record import from_data
from linnet_bench.remote.stream import error_named
from linnet_bench.soak.generating import NEW_TOKENS
from linnet_bench.soak.job import Settings, SoakJob
from linnet_bench.soak.record import Record, Window, to_json
from linnet_bench.soak.table import show_record

__all__ = ["add_arguments", "run"]

DEFAULT_LENGTHS = (8, 16, 32, 64, 128)
_REQUESTS = 1_000_000
_COMPLETIONS = 100_000 // NEW_TOKENS

_EPILOG = f"""\
Several threads send requests of mixed lengths to sessions that are closed and loaded again meanwhile. Every answer
must be, bit for bit, the first one to the same text; memory is looked at after each window, when all threads have
ended, and compared with the end of the first; so are latencies. Exit status {CHECK_FAILED} if an answer was wrong, a
request failed, memory grew or latency drifted. A decoder writes completions of up to {NEW_TOKENS} tokens, in forks of
texts that were cancelled from another thread before.

examples:
  linnet soak intents.pte
  linnet soak intents.pte --requests 20000 --clients 2 --sessions 1
  linnet soak intents.pte -o intents-soak.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    whole: Any = {"type": int, "metavar": "N"}
    parser.add_argument("file", metavar="FILE", type=Path, help="a linnet file (.pte)")
    parser.add_argument(
        "--requests", **whole,
        help=f"number of requests in all (default {_REQUESTS}; of a decoder {_COMPLETIONS}, 10^5 tokens)",
    )  # fmt: skip
    parser.add_argument("--clients", default=4, **whole, help="number of threads that send requests (default 4)")
    parser.add_argument("--sessions", default=2, **whole, help="number of sessions that the clients share (default 2)")
    parser.add_argument(
        "--reload-every",
        default=1000,
        **whole,
        help="number of requests after which a session is loaded anew (default 1000; 0: never)",
    )
    parser.add_argument(
        "--lengths", type=numbers, metavar="N,N,...",
        help=f"lengths of the requests in tokens, {CUT} (default {joined(DEFAULT_LENGTHS)})",
    )  # fmt: skip
    parser.add_argument(
        "--windows",
        default=20,
        **whole,
        help="number of parts of the run, the first of which is the warm-up (default 20)",
    )
    parser.add_argument(
        "--threads", default=1, type=thread_count, metavar="N", help="threads of one inference (default 1)"
    )
    parser.add_argument(
        "--most-growth",
        type=float,
        default=2.0,
        metavar="MB",
        help="largest growth of memory after the warm-up in MB (default 2)",
    )
    parser.add_argument(
        "--most-drift", type=float, default=2.0, metavar="TIMES",
        help="largest p99 of the second half, as a multiple of the first half's (default 2)",
    )  # fmt: skip
    add_output_arguments(parser, "the record")


def run(args: argparse.Namespace) -> int:
    """Soak the file, show and write the record; see the epilog for the exit status.

    Raises:
        LinnetError: the file cannot be soaked; finished windows are shown and written.
    """
    refuse_surplus(args)
    if args.requests is None:
        args.requests = _default_requests(args.file)
    settings = settings_from(args)
    if args.output is not None:
        check_output_path(args.output, force=args.force)
        check_not_input(args.output, args.file)
    soaking = _Soaking(args.file, settings, Progress(sys.stderr))
    soaking.go()
    record = soaking.record()
    if record is not None:
        say_cut(args.lengths, record.file["max_length"])
        if not args.json:
            show_record(record, Console())
        write_output(lambda: to_json(record), args)
    if soaking.failure is not None:
        raise soaking.failure
    if soaking.interrupted:
        return INTERRUPTED
    return OK if record is not None and all(record.verdicts.values()) else CHECK_FAILED


def _default_requests(path: Path) -> int:
    with load(path, self_test=False) as model:
        return _COMPLETIONS if model.manifest.cache_layers else _REQUESTS


def settings_from(args: argparse.Namespace) -> Settings:
    """Return the settings of the arguments.

    Raises:
        InvalidArgumentError: numbers are out of range; the message names them all.
    """
    return Settings(
        requests=args.requests, windows=args.windows, clients=args.clients, sessions=args.sessions,
        reload_every=args.reload_every, lengths=args.lengths or DEFAULT_LENGTHS, threads=args.threads,
        most_growth=round(args.most_growth * 1e6), most_drift=args.most_drift,
    )  # fmt: skip


class _Soaking:
    """One worker and its results so far.

    Attributes:
        failure: the error that ended it early; None if there was none.
        interrupted: the user pressed Ctrl-C.
    """

    def __init__(self, path: Path, settings: Settings, progress: Progress) -> None:
        self._path = path
        self._settings = settings
        self._progress = progress
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._sha256 = file_sha256(path)
        self._before = read_state_before()
        self._opened: Event | None = None
        self._finished: Event | None = None
        self._windows: list[Window] = []
        self._problems: list[str] = []
        self._began = time.monotonic()
        self.failure: LinnetError | None = None
        self.interrupted = False

    def go(self) -> None:
        """Run the worker until it ends, also on an error."""
        self._progress.say(f"{self._path.name}: opening {counted(self._settings.sessions, 'session')}")
        job = SoakJob(path=str(self._path), settings=self._settings)
        try:
            status, said = run_process("linnet_bench.soak.worker", dataclasses.asdict(job), self._on_event)
            if self.failure is None and self._finished is None:
                self.failure = InternalError(f"the soaking process {_cause(status)}: {said or 'it said nothing'}")
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self._progress.end()

    def record(self) -> Record | None:
        """Return the record so far; None if the file was never opened."""
        if self._opened is None:
            return None
        own: Mapping[str, Any] = {
            "name": self._path.name,
            "size": self._path.stat().st_size,
            "sha256": self._sha256,
        }
        finished = self._finished
        return Record(
            created=self._created,
            partial=finished is None,
            error="" if self.failure is None else str(self.failure),
            settings=self._settings,
            file={**own, **self._opened["facts"]},
            environment=read_environment(self._opened["runtime"]),
            before=self._before,
            after=None if finished is None else from_data(State, finished["after"], "after"),
            texts=self._opened["texts"],
            golden_before=self._opened["golden"],
            golden_after=None if finished is None else finished["golden"],
            problems=tuple(self._problems[:20]),
            windows=tuple(self._windows),
        )

    def _on_event(self, event: Event) -> None:
        kind = event["event"]
        if kind == "opened":
            self._opened, self._began = event, time.monotonic()
        elif kind == "sent" and sys.stderr.isatty():
            self._say(event["requests"])
        elif kind == "window":
            self._windows.append(from_data(Window, event["result"], "window"))
            self._problems += event["problems"]
            self._say(sum(window.requests for window in self._windows))
        elif kind == "finished":
            self._finished = event
        elif kind == "failed":
            self.failure = error_named(event["name"], event["message"])

    def _say(self, sent: int) -> None:
        elapsed = time.monotonic() - self._began
        rate = sent / elapsed if elapsed > 0 else 0.0
        left = (self._settings.requests - sent) / rate if rate else 0.0
        wrong = sum(window.wrong + window.failed for window in self._windows)
        self._progress.say(
            f"{sent:,} of {self._settings.requests:,} requests, {rate:,.0f} a second, about {_duration(left)} left, "
            f"{wrong or 'none'} wrong"
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _cause(status: int) -> str:
    if status >= 0:
        return f"ended with {status}"
    return f"was killed by {signal.Signals(-status).name}"
