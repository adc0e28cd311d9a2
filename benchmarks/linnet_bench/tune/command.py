"""The command ``linnet tune``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.exit_status import CHECK_FAILED, OK
from linnet.cli.output import check_output_path, write_text
from linnet.errors import InvalidArgumentError
from linnet_bench.arguments import CUT, cpu_set, joined, numbers, say_cut, thread_counts
from linnet_bench.measure.progress import Progress
from linnet_bench.remote.arguments import add_device_arguments
from linnet_bench.tune.devices import tune_on_devices
from linnet_bench.tune.measure import Finding, TuneJob, store, tune, unusable_cpus
from linnet_bench.tune.profile import TuningProfile

__all__ = ["add_arguments", "run"]

DEFAULT_LENGTHS, DEFAULT_SECONDS, DEFAULT_ROUNDS = (16, 64, 128), 0.3, 5

_EPILOG = f"""\
Every setting runs in fresh processes that take turns; what is much slower than the best does not run again. The
recommendation is what was measured here and nothing else: int8 can lose against fp32 on a processor without
dot-product instructions. It is kept for linnet.load(FILE, profile="auto"), or in OUT for profile="OUT". If no setting
answers rightly, the exit status is {CHECK_FAILED}.

examples:
  linnet tune intents.pte
  linnet tune intents-int8.pte intents-fp32.pte --lengths 32,128 -o pi4.json
  linnet tune intents.pte --threads 1,2,4 --affinity 4-7 --limit-ms 20
  linnet tune intents.pte --device ssh://pi@raspberrypi.local
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("files", metavar="FILE", type=Path, nargs="+", help="a linnet file (.pte), or several recipes of one model")
    add("--lengths", type=numbers, metavar="N,N,...",
        help=f"lengths of your texts in tokens, {CUT} (default {joined(DEFAULT_LENGTHS)})")  # fmt: skip
    add(
        "--threads",
        type=thread_counts,
        metavar="N,N,...",
        help="numbers of threads to try (default 1,2,4,... to all CPUs)",
    )
    add("--affinity", type=cpu_set, action="append", metavar="CPUS",
        help="CPUs to try too, as in 4-7; repeatable (default: the fastest kind of core)")  # fmt: skip
    add("--seconds", type=float, default=DEFAULT_SECONDS, metavar="S",
        help=f"seconds for each length in each process (default {DEFAULT_SECONDS:g})")  # fmt: skip
    add("--rounds", type=int, default=DEFAULT_ROUNDS, metavar="N",
        help=f"number of processes for each setting that stays in the race (default {DEFAULT_ROUNDS})")  # fmt: skip
    add("--limit-ms", type=float, metavar="MS", help="also name the longest input whose p90 stays below this")
    add("-o", "--output", type=Path, metavar="OUT", help="write the profile to this file, not into the cache folder")
    add("--force", action="store_true", help="replace output files that exist")
    add_device_arguments(parser, phones=False)


def run(args: argparse.Namespace) -> int:
    """Measure the settings, show and store the fastest.

    Raises:
        LinnetError: the arguments are wrong, or a file cannot be run.
    """
    _check(args)
    job = TuneJob(
        lengths=args.lengths or DEFAULT_LENGTHS,
        seconds=args.seconds,
        rounds=args.rounds,
        threads=args.threads,
        affinity=None if args.affinity is None else tuple(args.affinity),
        limit_ms=args.limit_ms,
    )
    if args.device or args.devices_file:
        return tune_on_devices(args, job, _show)
    if args.output is not None:
        check_output_path(args.output, force=args.force)
    progress = Progress(sys.stderr)
    try:
        finding = tune(args.files, job, progress.say)
    finally:
        progress.end()
    say_cut(args.lengths, max(finding.lengths))
    console = Console()
    _show(finding, job, console)
    if finding.profile is None:
        return CHECK_FAILED
    console.line(_store(finding, finding.profile, args))
    return OK


def _check(args: argparse.Namespace) -> None:
    problems = []
    if len({path.resolve() for path in args.files}) < len(args.files):
        problems.append("a file is named more than once; name each once")
    if args.rounds < 1:
        problems.append(f"--rounds is {args.rounds}, expected at least 1")
    if not 0 < args.seconds <= 3600:
        problems.append(f"--seconds is {args.seconds:g}, expected above 0 and at most 3600")
    if args.limit_ms is not None and not args.limit_ms > 0:
        problems.append(f"--limit-ms is {args.limit_ms:g}, expected above 0")
    elsewhere = args.device or args.devices_file  # other machines have other CPUs, so --affinity is checked there
    if not elsewhere and (unusable := unusable_cpus(args.affinity)):
        problems.append(unusable)
    if problems:
        raise InvalidArgumentError("; ".join(problems))


def _show(finding: Finding, job: TuneJob, console: Console) -> None:
    behind = "one behind " if finding.decoder else ""
    headers = [
        "file",
        "recipe",
        "setting",
        *(f"{behind}{tokens} tokens, p50 ms" for tokens in finding.lengths),
        "rounds",
        "",
    ]
    rows = []
    for row in finding.rows:
        times = [f"{time / 1e6:.3f}" for time in row.p50_ns] or [""] * len(finding.lengths)
        mark = f"WRONG: {row.failure}" if row.failure else f"{row.ratio:.2f} x the fastest"
        rows.append([row.file, row.recipe, row.setting, *times, str(row.rounds), mark])
    console.table(headers, rows, right=range(3, 4 + len(finding.lengths)))
    console.line()
    if finding.profile is None:
        console.line("no setting answers rightly on this machine; linnet verify says more")
        return
    console.line(f"best here: {finding.profile.reason}")
    for line in _lengths_below(finding.profile, job.limit_ms):
        console.line(line)


def _lengths_below(profile: TuningProfile, limit_ms: float | None) -> list[str]:
    if limit_ms is None:
        return []
    longest = profile.files[profile.best].longest
    up_to = f"{longest} tokens" if longest is not None else "none of the lengths"
    return [f"p90 below {limit_ms:g} ms: up to {up_to}; linnet export --max-length bounds a file"]


def _store(finding: Finding, profile: TuningProfile, args: argparse.Namespace) -> str:
    if args.output is not None:
        write_text(profile.to_json(), args.output, force=args.force)
        return f'stored: linnet.load(FILE, profile="{args.output}")'
    kept = store(finding).stored
    return 'stored: linnet.load(FILE, profile="auto")' if kept else "not stored: there is no cache folder"
