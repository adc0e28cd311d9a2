"""The command ``linnet compare``."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.exit_status import CHECK_FAILED, OK
from linnet.cli.output import check_output_path
from linnet.errors import InvalidArgumentError
from linnet.runtime import runtime_info
from linnet_bench.accuracy.arguments import add_column_arguments, delimited_format
from linnet_bench.accuracy.datasets import Columns, Table, choose_columns, read_table
from linnet_bench.arguments import add_output_arguments, joined, numbers, say_cut, thread_counts, write_output
from linnet_bench.compare.answers import Answers, agreement, ask_all, texts_for
from linnet_bench.compare.result import Candidate, Comparison, Settings, choose_accuracy, mark_beaten
from linnet_bench.compare.rounds import Rounds
from linnet_bench.compare.table import show_comparison
from linnet_bench.html.output import check_page_path, write_page
from linnet_bench.machine.environment import read_environment, read_state_before
from linnet_bench.measure.candidate import OpenedFile, labels_for, open_all
from linnet_bench.measure.decoder import longest_input
from linnet_bench.measure.files import file_sha256
from linnet_bench.measure.probe import clip_lengths
from linnet_bench.measure.progress import Progress
from linnet_bench.record.statistics import median

__all__ = ["add_arguments", "run"]

DEFAULT_LENGTHS = (16, 128, 512)
DEFAULT_ROUNDS, DEFAULT_SECONDS, DEFAULT_COLD = 3, 0.3, 5
_SPEED_AT = 128  # tokens; speed is the p50 at this length, or at the nearest measured length

_EPILOG = f"""\
Every figure of time and memory comes from fresh processes that take turns, so that what disturbs the machine
disturbs every file. A file that another one beats in size, p50 and accuracy at once is marked, unless the machine was
busy with other work before (--any-load marks it anyway). Files with identical bytes are named. A file whose
golden cases come out wrong gets no latency, and the exit status is {CHECK_FAILED}.

examples:
  linnet compare fp32.pte int8.pte 8da4w.pte
  linnet compare fp32.pte int8.pte --data stsb-dev.csv --threads 1,2 --report recipes.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("files", metavar="FILE", type=Path, nargs="+", help="linnet files (.pte) of one task, at least two")
    add("--lengths", type=numbers, metavar="N,N,...",
        help=f"lengths in tokens, cut to the shortest bound (default {joined(DEFAULT_LENGTHS)})")  # fmt: skip
    add(
        "--threads",
        type=thread_counts,
        default=(1,),
        metavar="N,N,...",
        help="numbers of threads to measure (default 1)",
    )
    add("--rounds", type=int, default=DEFAULT_ROUNDS, metavar="N",
        help=f"number of processes for each file and number of threads (default {DEFAULT_ROUNDS})")  # fmt: skip
    add("--seconds", type=float, default=DEFAULT_SECONDS, metavar="S",
        help=f"seconds for each length in each process (default {DEFAULT_SECONDS:g})")  # fmt: skip
    add("--cold", type=int, default=DEFAULT_COLD, metavar="N",
        help=f"number of fresh processes for the cold start (default {DEFAULT_COLD})")  # fmt: skip
    add("--any-load", action="store_true", help="mark files as beaten even if the machine was busy")
    add("--data", metavar="DATA", help="labelled data to measure accuracy on, as `linnet eval` does")
    add_column_arguments(parser)
    add("--limit", type=int, metavar="N", help="use only the first N rows of the data")
    add("--report", type=Path, metavar="OUT", help="write the result as one HTML page with a Pareto plot")
    add_output_arguments(parser, "the result")


def run(args: argparse.Namespace) -> int:
    """Compare the files, show and write the result; see the epilog for the exit status.

    Raises:
        LinnetError: the files cannot be compared, or one cannot be run.
    """
    _check(args)
    table, columns = _data(args)
    progress = Progress(sys.stderr)
    try:
        comparison = _compare(args, table, columns, progress)
    finally:
        progress.end()
    say_cut(args.lengths, max(comparison.settings.lengths))
    if not args.json:
        show_comparison(comparison, Console())
    write_output(comparison.to_json, args)
    if args.report is not None:
        from linnet_bench.compare.report import comparison_page

        write_page(comparison_page(comparison), args.report, "linnet compare", force=args.force)
    return CHECK_FAILED if any(file.check.wrong for file in comparison.files) else OK


def _check(args: argparse.Namespace) -> None:
    records = [str(path) for path in args.files if path.suffix == ".json"]
    if records:
        hint = "--json takes no file: write the result with -o OUT" if args.json else ""
        raise InvalidArgumentError(
            f"expected linnet files (.pte), got {', '.join(records)}; "
            f"{hint or 'use linnet regress for benchmark records'}"
        )
    problems = []
    if args.rounds < 1:
        problems.append(f"--rounds is {args.rounds}, expected at least 1")
    if not 0 < args.seconds <= 3600:
        problems.append(f"--seconds is {args.seconds:g}, expected above 0 and at most 3600")
    if args.cold < 0:
        problems.append(f"--cold is {args.cold}, expected 0 (leave it out) or more")
    if args.limit is not None and args.limit < 1:
        problems.append(f"--limit is {args.limit}, expected at least 1")
    outputs = [out for out in (args.output, args.report) if out is not None]
    if len(set(outputs)) < len(outputs):
        problems.append(f"--output and --report both name {args.output}; give each its own file")
    if problems:
        raise InvalidArgumentError("; ".join(problems))
    if args.output is not None:
        check_output_path(args.output, force=args.force)
    if args.report is not None:
        check_page_path(args.report, "linnet compare", force=args.force)


def _data(args: argparse.Namespace) -> tuple[Table | None, Columns | None]:
    if args.data is None:
        return None, None
    table = read_table(args.data, delimited_format(args))
    columns = choose_columns(table, args.text_column, args.pair_column, args.label_column)
    return dataclasses.replace(table, rows=table.rows[: args.limit]), columns


def _compare(args: argparse.Namespace, table: Table | None, columns: Columns | None, progress: Progress) -> Comparison:
    before = read_state_before()
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    progress.say("opening")
    opened = open_all(args.files, max(args.threads))
    labels = labels_for(args.files)
    shortest = min(file.manifest.max_length for file in opened)
    settings = Settings(
        lengths=clip_lengths(args.lengths or DEFAULT_LENGTHS, longest_input(opened[0].manifest.task, shortest)),
        threads=args.threads,
        rounds=args.rounds,
        seconds=args.seconds,
        cold_repeats=args.cold,
        data=Path(args.data).name if args.data else "",
        any_load=args.any_load,
    )
    progress.say("asking")
    texts = texts_for(opened, table, columns)
    answers = ask_all(opened, texts, table, columns, max(args.threads))
    rounds = Rounds(args.files, labels, settings, opened[0].manifest.task, progress.say)
    rounds.measure()
    candidates = tuple(_candidate(index, label, opened, answers, rounds) for index, label in enumerate(labels))
    comparison = Comparison(
        created=created,
        settings=settings,
        environment=read_environment(runtime_info()),
        accuracy=choose_accuracy(candidates),
        threads=settings.threads[0],
        tokens=min(settings.lengths, key=lambda tokens: abs(math.log(tokens / _SPEED_AT))),
        agreement_texts=len(texts),
        files=candidates,
        before=before,
    )
    return mark_beaten(comparison)


def _candidate(
    index: int, label: str, opened: Sequence[OpenedFile], answers: Sequence[Answers], rounds: Rounds
) -> Candidate:
    own = opened[index]
    evidence = own.evidence
    worker = rounds.opened(index)
    cold = rounds.cold(index)
    return Candidate(
        label=label,
        file=worker.file_facts(own.path, file_sha256(own.path)),
        status=evidence.status,
        partitions=evidence.report.partitions.get("forward"),
        proof=evidence.figures,
        metrics=answers[index].metrics,
        agreement=agreement(own.manifest.task, answers[0].outputs, answers[index].outputs),
        check=rounds.check(index),
        latencies=rounds.latencies(index),
        decoding=rounds.decoding(index),
        method=rounds.method(index),
        peak_memory=rounds.peak_memory(index),
        cold_ns=tuple(start.first_line_ns for start in cold),
        cold_memory=int(median([start.peak_memory for start in cold])) if cold else 0,
    )
