"""Command ``linnet monitor``: what services and devices count, their alerts, a page; and the sum of many devices."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from linnet.atomic_file import replace_file
from linnet.cli.console import Console, counted
from linnet.cli.exit_status import CHECK_FAILED, OK, RUN_FAILED
from linnet.cli.output import check_output_path, write_text
from linnet.errors import InvalidArgumentError
from linnet.monitoring.snapshot import merge
from linnet_monitor.actions import tell
from linnet_monitor.alerts import Alerts, Event
from linnet_monitor.figures import tables
from linnet_monitor.history import History
from linnet_monitor.page import GENERATOR, monitor_page
from linnet_monitor.rules import RuleSet, read_rules
from linnet_monitor.sources import is_address, read_source

__all__ = ["add_arguments", "run"]

_MERGE = "merge"
_EPILOG = """\
SOURCE is the address of a service, a file of JSON lines, or a snapshot of a
device; `linnet monitor merge FILE...` adds snapshots and prints their sum.
Exit status 1 if an alert fires at the end, 5 if a source could not be read.

examples:
  linnet monitor http://127.0.0.1:8080
  linnet monitor metrics.jsonl --once --rules rules.toml
  linnet monitor merge device-*.json --output all.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("sources", metavar="SOURCE", nargs="*", help="addresses or files; of several the sum is shown")
    add("--rules", type=Path, metavar="FILE.toml", help="rules of alerts (default: those of linnet)")
    add("--show-rules", action="store_true", help="print linnet's own rules, to change them, and end")
    add("--once", action="store_true", help="show the state once and end")
    add("--interval", type=_interval, default=15.0, metavar="S", help="seconds between two looks (default 15)")
    add("--key-file", type=Path, metavar="FILE", help="file with the key of the service in its first line")
    add("--json", action="store_true", help="print the state as JSON, one line for each look")
    add("--output", type=Path, metavar="FILE", help="page that is written at each look; of merge the sum as JSON")
    add("--force", action="store_true", help="replace an output that is not linnet's own page")


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"expected a number of seconds from 1 to 86400, got {text!r}")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Show the state until it is interrupted, or once; return the exit status.

    Raises:
        InvalidArgumentError: rules, a file or an option is wrong.
        OSError: a file cannot be read or written.
    """
    if args.show_rules:
        print((Path(__file__).parent / "default_rules.toml").read_text(encoding="utf-8"), end="")
        return OK
    if not args.sources:
        raise InvalidArgumentError("expected the address of a service or a file, got none")
    if args.sources[0] == _MERGE:
        return _merged(args.sources[1:], args)
    rules = read_rules(args.rules)
    if args.output is not None:
        check_output_path(args.output, force=args.force or _is_own(args.output))
    key = args.key_file.read_text(encoding="utf-8").split("\n")[0].strip() if args.key_file else ""
    watched = _Watched(args, rules, key)
    try:
        while True:
            status = watched.look()
            if args.once:
                return status
            time.sleep(args.interval)
    except KeyboardInterrupt:
        return watched.status


def _is_own(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return GENERATOR.encode() in file.read(400)
    except OSError:
        return False


def _merged(sources: list[str], args: argparse.Namespace) -> int:
    if not sources:
        raise InvalidArgumentError("expected files to merge, got none")
    total = merge(read_source(source)[-1] for source in sources)
    text = json.dumps(total, allow_nan=False) + "\n"
    if args.output is None:
        print(text, end="")
        return OK
    write_text(text, args.output, force=args.force)
    print(f"{args.output}: the sum of {counted(total['sources'], 'source')}")
    return OK


class _Watched:
    """Sources with their history and their alerts.

    Attributes:
        status: exit status of the last look.
    """

    def __init__(self, args: argparse.Namespace, rules: RuleSet, key: str) -> None:
        self._args, self._rules, self._key = args, rules, key
        self._history, self._alerts = History(), Alerts(rules.rules)
        self._console = Console()
        self._name = ", ".join(args.sources)
        self.status = OK

    def look(self) -> int:
        """Read the sources, evaluate the rules, tell and show what came of it; return the exit status."""
        problem = self._read()
        if problem:
            print(f"linnet: {problem}", file=sys.stderr)
        for event in self._events:
            for failure in tell(event, self._rules, self._name):
                print(f"linnet: {failure}", file=sys.stderr)
        self._show()
        if self._args.output is not None:
            page = monitor_page(self._history, list(self._alerts.states.values()), self._name,
                                0 if self._args.once else self._args.interval)  # fmt: skip
            replace_file(self._args.output, page)
        firing = CHECK_FAILED if self._alerts.firing else OK
        self.status = RUN_FAILED if problem else firing
        return self.status

    def _read(self) -> str:
        """Read the sources and evaluate each of their new snapshots; return what went wrong."""
        self._events: list[Event] = []
        first = self._history.last is None
        try:
            found = [read_source(source, self._key) for source in self._args.sources]
        except OSError as error:
            if not any(is_address(source) for source in self._args.sources):
                raise
            self._history.reachable = False
            self._events += self._alerts.evaluate(self._history, time.time())
            return f"{type(error).__name__}: {error}"
        self._history.reachable = True
        known = -1.0 if self._history.last is None else self._history.last["time"]
        snapshots = found[0] if len(found) == 1 else [merge(one[-1] for one in found)]
        for snapshot in snapshots:
            if snapshot["time"] > known:
                self._history.add(snapshot)
                self._events += self._alerts.evaluate(self._history, snapshot["time"])
        if first:  # what was resolved before anybody looked is no news
            self._events = [Event(alert) for alert in self._alerts.firing]
        return ""

    def _show(self) -> None:
        states = list(self._alerts.states.values())
        if self._args.json:
            state = {"time": time.time(), "source": self._name, "reachable": self._history.reachable,
                     "alerts": self._alerts.to_json(), "snapshot": self._history.last}  # fmt: skip
            print(json.dumps(state, allow_nan=False), flush=True)
            return
        if not self._args.once and sys.stdout.isatty():
            print("\x1b[2J\x1b[H", end="")
        self._console.line(f"{self._name}{'' if self._history.reachable else ', which does not answer'}")
        for table in tables(self._history, states):
            self._console.heading(table.heading)
            self._console.table(table.headers, table.rows, right=table.right)
