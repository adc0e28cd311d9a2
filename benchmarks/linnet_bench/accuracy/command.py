"""``linnet eval``: the metric of the file's task on labelled data."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from collections.abc import Iterable, Mapping

from linnet.cli.command import add_threads
from linnet.cli.console import Console, counted
from linnet.cli.exit_status import CHECK_FAILED, OK
from linnet.errors import InvalidArgumentError
from linnet.loading import load
from linnet.printable import unescaped
from linnet_bench.accuracy.arguments import add_column_arguments, delimited_format
from linnet_bench.accuracy.datasets import choose_columns, read_rows
from linnet_bench.accuracy.entity_errors import print_errors
from linnet_bench.accuracy.evaluation import Evaluation, Progress, evaluate
from linnet_bench.accuracy.problems import BadRowsError
from linnet_bench.tasks import get_task

__all__ = ["add_arguments", "run"]

_EPILOG = """\
Columns are found by their usual names (text, sentence1, sentence2, label, score, question, context,
answers, tokens, tags, ...); a CSV without header has the columns 0, 1, 2. Other endings are CoNLL files.
--text-column also names the question, the query or the tokens; --pair-column the context or the passage;
--label-column the score, the answers or the tags.

examples:
  linnet eval intents.pte --data test.jsonl
  linnet eval minilm.pte --data stsb-dev.csv --at-least spearman=0.81
  linnet eval tagger.pte --data dev.conll --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("file", metavar="FILE", help="a linnet file (.pte)")
    add("--data", required=True, metavar="DATA", help="labelled data: .jsonl, .json, .csv, .tsv or CoNLL")
    add_column_arguments(parser)
    add("--limit", type=int, metavar="N", help="use only the first N rows of the data")
    add("--at-least", action="append", default=[], metavar="METRIC=VALUE",
        help="exit with status 1 below this value; may be repeated")  # fmt: skip
    add("--show-errors", type=int, default=0, metavar="N",
        help="also list up to N missed, N other and N invented entities (token-classification)")  # fmt: skip
    add_threads(parser)
    add("--json", action="store_true", help="print the result as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Evaluate the file; return 1 if a limit is not reached."""
    limits = dict(_limit(text) for text in args.at_least)
    if args.limit is not None and args.limit < 1:
        raise InvalidArgumentError(f"--limit is {args.limit}, expected at least 1")
    if args.show_errors < 0:
        raise InvalidArgumentError(f"--show-errors is {args.show_errors}, expected at least 0")
    table, wrong = read_rows(args.data, delimited_format(args))
    if not table.rows:
        raise BadRowsError(wrong)
    columns = choose_columns(table, args.text_column, args.pair_column, args.label_column)
    table = dataclasses.replace(table, rows=table.rows[: args.limit])
    with load(args.file, threads=args.threads) as model:
        _refuse_unknown(limits, model.manifest.task, get_task(model.manifest.task).metrics)
        result = evaluate(model, table, columns, _progress(), wrong, args.show_errors)
    if args.json:
        print(json.dumps(result.to_json(), ensure_ascii=False))
    else:
        _show(Console(), result)
    return _check(result, limits)


def _progress() -> Progress:
    """Return a progress callback that writes about five times a second to a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda done, total: None
    last = 0.0

    def show(done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > 0.2:
            last = time.monotonic()
            end = "\n" if done == total else ""
            print(f"\r{done} of {total}", end=end, file=unescaped(sys.stderr), flush=True)

    return show


def _show(console: Console, result: Evaluation) -> None:
    console.table(("metric", "value"), [(name, f"{value:.4f}") for name, value in result.metrics.items()], right=(1,))
    cut = f", {counted(result.truncated, 'text')} cut at the bound" if result.truncated else ""
    print_errors(console, result.errors)
    console.line(f"{counted(result.rows, 'row')}, {result.task}{cut}")


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError as error:
        raise InvalidArgumentError(f"--at-least is {text!r}, expected METRIC=VALUE") from error
    if math.isnan(number):
        raise InvalidArgumentError(f"--at-least is {text!r}, expected a number for the value")
    return name, number


def _refuse_unknown(limits: Mapping[str, float], what: str, known: Iterable[str]) -> None:
    unknown = ", ".join(sorted(limits.keys() - set(known)))
    if unknown:
        raise InvalidArgumentError(f"--at-least names {unknown}, {what} has {', '.join(known)}")


def _check(result: Evaluation, limits: Mapping[str, float]) -> int:
    _refuse_unknown(limits, f"{result.task} of these rows", result.metrics)
    below = {name: limit for name, limit in limits.items() if not result.metrics[name] >= limit}
    for name, limit in below.items():
        print(f"linnet: error: {name} is {result.metrics[name]:.4f}, expected at least {limit}", file=sys.stderr)
    return CHECK_FAILED if below else OK
