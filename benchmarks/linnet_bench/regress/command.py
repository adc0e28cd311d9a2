"""The command ``linnet regress``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.exit_status import CHECK_FAILED, OK
from linnet.cli.output import check_output_path
from linnet.errors import InvalidArgumentError
from linnet_bench.arguments import add_output_arguments, write_output
from linnet_bench.record.preset import HEADLINE
from linnet_bench.record.record import read_record
from linnet_bench.regress.regression import (
    SIGNIFICANCE,
    THRESHOLD,
    Change,
    Verdict,
    different_machines,
    judge,
    made_under_load,
)

__all__ = ["add_arguments", "run", "show_verdict"]

_HEADERS = ("figure", "old", "new", "", "change", "p-value", "verdict")

_EPILOG = f"""\
The records are of linnet bench -o OUT, the old and the new one. Latencies are p50, the median over the repeats; linnet
report leads with p90. A latency counts as changed if it differs by the threshold and the p-value of a permutation test
over the repeats is at most {SIGNIFICANCE}. With a regression the exit status is {CHECK_FAILED}. Records that were begun
on a busy machine are not judged without --any-load.
docs/how-to/benchmarking.md says more.

examples:
  linnet regress main.json branch.json
  linnet regress --baseline monday.json tuesday.json -- today.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("records", metavar="RECORD", type=Path, nargs="+",
        help="the old and the new record (.json); with --baseline only new ones")  # fmt: skip
    add("--baseline", metavar="RECORD", type=Path, nargs="+", help="old records to compare the given ones with")
    add("--threshold", type=float, default=THRESHOLD, metavar="SHARE",
        help=f"smallest change of a latency that counts (default {THRESHOLD:g})")  # fmt: skip
    add("--any-machine", action="store_true", help="compare records of different machines, too")
    add("--any-load", action="store_true", help="judge records that were begun on a busy machine, too")
    add_output_arguments(parser, "the result")


def run(args: argparse.Namespace) -> int:
    """Compare the records, show and write the verdict; the exit status is 1 if something became worse.

    Raises:
        LinnetError: a record cannot be read, or the two sides cannot be compared.
    """
    old, new = _sides(args)
    if not 0 < args.threshold < 10:
        raise InvalidArgumentError(f"--threshold is {args.threshold:g}, expected above 0 and below 10 (0.05 is 5 %)")
    if args.output is not None:
        check_output_path(args.output, force=args.force)
    before, after = ([read_record(path) for path in side] for side in (old, new))
    machines = different_machines(before, after)
    if machines and not args.any_machine:
        raise InvalidArgumentError(
            f"the records are of different machines ({'; '.join(machines)}), so a difference is no regression; "
            "--any-machine compares them anyway"
        )
    loaded = made_under_load((*before, *after))
    if loaded and not args.any_load:
        raise InvalidArgumentError(
            f"expected records of an idle machine, got {'; '.join(loaded)}; end the other work and "
            "measure again, or judge them anyway with --any-load"
        )
    verdict = judge(before, after, args.threshold)
    if not args.json:
        show_verdict(verdict, Console())
    write_output(verdict.to_json, args)
    return CHECK_FAILED if verdict.regressed else OK


def _sides(args: argparse.Namespace) -> tuple[Sequence[Path], Sequence[Path]]:
    files = [path for path in (*args.records, *(args.baseline or ())) if path.suffix == ".pte"]
    if files:
        raise InvalidArgumentError(
            f"expected records (.json), got {', '.join(map(str, files))}; use linnet compare for files"
        )
    missing = [str(path) for path in (*args.records, *(args.baseline or ())) if not path.exists()]
    if missing and args.json:
        raise InvalidArgumentError(
            f"{', '.join(missing)}: there is no such record; --json takes no file: write the result with -o OUT"
        )
    if args.baseline:
        return args.baseline, args.records
    if len(args.records) != 2:
        raise InvalidArgumentError(
            f"expected the old record and the new one, got {len(args.records)}; name more old ones with --baseline"
        )
    return args.records[:1], args.records[1:]


def show_verdict(verdict: Verdict, console: Console) -> None:
    """Write every figure, then the conclusion."""
    console.table(_HEADERS, [_row(change) for change in verdict.changes], right=(1, 2, 4, 5))
    console.line()
    for note in verdict.notes:
        console.line(note)
    console.line(f"latencies: {verdict.statistic}; linnet report leads with p{HEADLINE}")
    kind = "blocks" if verdict.blocks else "repeats"
    console.line(
        f"{verdict.repeats[0]} old and {verdict.repeats[1]} new {kind}; a latency counts as changed from "
        f"{verdict.threshold:.0%} on, if its p-value (permutation test) is at most {SIGNIFICANCE}"
    )
    for problem in verdict.problems:
        console.line(problem)
    worse = [change.name for change in verdict.changes if change.verdict == "slower"]
    better = [change.name for change in verdict.changes if change.verdict == "faster"]
    if better:
        console.line(f"better: {'; '.join(better)}")
    console.line(f"REGRESSION: {'; '.join([*worse, *verdict.problems])}" if verdict.regressed else "no regression")


def _row(change: Change) -> Sequence[str]:
    p_value = "" if change.p is None else f"{change.p:.3f}"
    word = change.verdict
    if change.unit == "MB":
        word = {"slower": "larger", "faster": "smaller"}.get(word, word)
    figures = (f"{change.old:.3f}", f"{change.new:.3f}", change.unit, f"{change.ratio - 1:+.1%}")
    return (change.name, *figures, p_value, word.upper() if change.verdict == "slower" else word)
