"""``linnet compare`` of records: reads them, shows the verdict, chooses the exit status."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.exit_status import CHECK_FAILED, OK
from linnet.cli.output import refuse_existing, write_text
from linnet.errors import InvalidArgumentError
from linnet_bench.compare.regression import CHANCE, Change, Verdict, different_machines, judge
from linnet_bench.record.record import read_record

__all__ = ["are_records", "compare_records", "show_verdict"]

_HEADERS = ("figure", "old", "new", "", "change", "chance", "verdict")


def are_records(args: argparse.Namespace) -> bool:
    """Say whether records are to be compared, not files.

    Raises:
        InvalidArgumentError: some of both are given.
    """
    paths: Sequence[Path] = [*args.files, *(args.baseline or ())]
    records = [path for path in paths if path.suffix == ".json"]
    if records and len(records) < len(paths):
        others = ", ".join(str(path) for path in paths if path not in records)
        raise InvalidArgumentError(f"found records (.json) and also {others}; compare records with records")
    if args.baseline and not records:
        raise InvalidArgumentError("--baseline is for records (.json); compare files by naming them")
    return bool(records)


def compare_records(args: argparse.Namespace) -> int:
    """Compare, show, write; the exit status is 1 if something became worse.

    Raises:
        LinnetError: a record cannot be read, or the two sides cannot be compared.
    """
    old, new = _sides(args)
    if not 0 < args.threshold < 10:
        raise InvalidArgumentError(f"--threshold is {args.threshold:g}, needed above 0 and below 10 (0.05 is 5 %)")
    if args.json is not None:
        refuse_existing(args.json, force=args.force)
    before, after = ([read_record(path) for path in side] for side in (old, new))
    machines = different_machines(before, after)
    if machines and not args.any_machine:
        raise InvalidArgumentError(
            f"the records are of different machines ({'; '.join(machines)}), so a difference is no regression; "
            "--any-machine compares them anyway"
        )
    verdict = judge(before, after, args.threshold)
    show_verdict(verdict, Console())
    if args.json is not None:
        write_text(verdict.to_json(), args.json, force=args.force)
    return CHECK_FAILED if verdict.regressed else OK


def _sides(args: argparse.Namespace) -> tuple[Sequence[Path], Sequence[Path]]:
    if args.baseline:
        return args.baseline, args.files
    if len(args.files) != 2:
        raise InvalidArgumentError(
            f"found {len(args.files)} record(s), needed the old one and the new one; "
            "name more of the old ones with --baseline"
        )
    return args.files[:1], args.files[1:]


def show_verdict(verdict: Verdict, console: Console) -> None:
    """Write every figure, then what it comes to."""
    console.table(_HEADERS, [_row(change) for change in verdict.changes], right=(1, 2, 4, 5))
    console.line()
    for note in verdict.notes:
        console.line(note)
    kind = "blocks" if verdict.blocks else "repeats"
    console.line(
        f"{verdict.repeats[0]} old and {verdict.repeats[1]} new {kind}; a latency counts as changed from "
        f"{verdict.threshold:.0%} on, if chance alone would do so in at most {CHANCE:.1%} of comparisons"
    )
    for problem in verdict.problems:
        console.line(problem)
    worse = [change.name for change in verdict.changes if change.verdict == "slower"]
    better = [change.name for change in verdict.changes if change.verdict == "faster"]
    if better:
        console.line(f"better: {'; '.join(better)}")
    console.line(f"REGRESSION: {'; '.join([*worse, *verdict.problems])}" if verdict.regressed else "no regression")


def _row(change: Change) -> Sequence[str]:
    chance = "" if change.p is None else f"{change.p:.3f}"
    word = change.verdict
    if change.unit == "MB":
        word = {"slower": "larger", "faster": "smaller"}.get(word, word)
    figures = (f"{change.old:.3f}", f"{change.new:.3f}", change.unit, f"{change.ratio - 1:+.1%}")
    return (change.name, *figures, chance, word.upper() if change.verdict == "slower" else word)
