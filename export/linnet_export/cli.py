"""Command `linnet export`: options, progress display and printed report."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from linnet.cli.console import Console, shorten
from linnet.cli.exit_status import CHECK_FAILED, RUN_FAILED, exit_status
from linnet.cli.output import check_not_input
from linnet.errors import InvalidArgumentError, NoSpaceError
from linnet.format.manifest import TASKS
from linnet.printable import printable, unescaped
from linnet_bench.accuracy.entity_errors import print_errors
from linnet_bench.html.output import check_page_path, write_page
from linnet_export import export
from linnet_export.config import ALGORITHMS, BUDGET_KEYS, OBSERVER_NAMES, ExportConfig, QuantizationConfig, read_shares
from linnet_export.errors import OverBudgetError
from linnet_export.explain import explain_page, measure_latency, read_facts
from linnet_export.log_capture import redirect_output
from linnet_export.output.deliver import choose_output
from linnet_export.output.report import ExportReport
from linnet_export.output.report_view import print_report

__all__ = [
    "CLEAR",
    "TerminalProgress",
    "add_arguments",
    "name_log",
    "report_over_budget",
    "run",
    "terminated_as_interrupt",
]

CLEAR = "\r\x1b[K"
"""Back to the start of a terminal's line, and the line empty."""

_EXAMPLE = """\
examples:
  linnet export ./my-classifier -o intents.pte
  linnet export sentence-transformers/all-MiniLM-L6-v2 --max-length 128
  linnet export ./tagger --recipe fp32 --json
  linnet export ./SmolLM2-135M-Instruct --context 1024
  linnet export ./my-classifier -o intents.pte --report intents.html
"""


class TerminalProgress:
    """Shows one line a stage; on a terminal the running stage is refreshed in place."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._name = ""
        self._started = 0.0

    def stage_started(self, name: str) -> None:
        """Begin a line."""
        self._name, self._started = name, time.perf_counter()
        self._refresh("")

    def stage_detail(self, text: str) -> None:
        """Refresh the line (terminals only)."""
        self._refresh(text)

    def stage_finished(self, name: str, seconds: float) -> None:
        """End the line with its seconds."""
        start = CLEAR if self._live else ""
        print(f"{start}  {printable(name):<12}{seconds:7.1f} s", file=unescaped(self._stream), flush=True)

    def interrupted(self) -> None:
        """Leave the running line as it is."""
        if self._live:
            print("", file=self._stream, flush=True)

    def _refresh(self, text: str) -> None:
        if self._live:
            seconds = time.perf_counter() - self._started
            print(
                f"{CLEAR}  {printable(self._name):<12}{seconds:7.1f} s  {printable(text)[:60]}",
                end="",
                file=unescaped(self._stream),
                flush=True,
            )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EXAMPLE
    add = parser.add_argument
    add("model", metavar="MODEL", help="checkpoint: a local directory or a Hugging Face hub id")
    add("-o", "--output", type=Path, metavar="FILE.pte", help="file to write (default: the model's name)")
    add("--task", metavar="TASK", help=f"task of the file (default: from the checkpoint): {', '.join(TASKS)}")
    _add_quantization(parser)
    add("--max-length", type=int, metavar="N", help="longest input in tokens, special tokens included")
    add(
        "--context",
        dest="max_length",
        type=int,
        metavar="N",
        help="the same for a decoder: prompt and answer in tokens (default 2048)",
    )
    add(
        "--max-batch",
        type=int,
        default=0,
        metavar="N",
        help="largest batch of the method for batches; 0 (default): no such method",
    )
    add("--revision", help="branch, tag or commit of a model on the Hugging Face hub")
    add(
        "--labels",
        type=_labels,
        metavar="A,B,C|FILE",
        help="names of the classes in order, or a file with one in each line",
    )
    add(
        "--pooling",
        metavar="NAME",
        help="embeddings from tokens: mean, cls, ..., several joined by +, or none; the checkpoint's own by default",
    )
    add(
        "--proof",
        type=Path,
        metavar="FILE",
        help="texts of the proof: .jsonl with text and pair, or plain lines",
    )
    add(
        "--reference",
        type=Path,
        metavar="FILE",
        help="texts like those to come, as --proof takes them: the reference for drift (default: those of --proof)",
    )
    add("--no-proof", action="store_true", help="skip the proof and mark the file as unproven")
    add("--budget", type=_budget, action="append", default=[], metavar="NAME=VALUE",
        help=f"change a limit of the proof: {', '.join(BUDGET_KEYS)}")  # fmt: skip
    add("--proof-rows", type=Path, metavar="FILE",
        help="labelled rows of a tagger (tokens, tags): the evidence has its recall and precision by type")  # fmt: skip
    for name, what in (("recall", "recall"), ("precision", "precision"), ("coverage", "share of covered words")):
        add(f"--min-{name}", type=_shares, default={}, metavar="[TYPE=]SHARE,...",
            help=f"no file below this {what} of all entities of --proof-rows, or of those of a type")  # fmt: skip
    add("--show-errors", type=int, default=0, metavar="N",
        help="list up to N missed, N other and N invented entities of --proof-rows")  # fmt: skip
    add("--report", type=Path, metavar="OUT.html", help="write a page about the file too, as `linnet explain` does")
    add("--force", action="store_true", help="replace the output if it exists")
    add("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Export; return the exit status."""
    config = ExportConfig(
        model=args.model,
        output=args.output,
        task=args.task,
        recipe=args.recipe,
        quantization=_quantization(args),
        calibration=args.calibration,
        auto_mixed_precision=args.auto_mixed_precision,
        max_length=args.max_length,
        max_batch=args.max_batch,
        revision=args.revision,
        labels=args.labels,
        pooling=args.pooling,
        proof=args.proof,
        prove=not args.no_proof,
        reference=args.reference,
        budget=dict(args.budget),
        proof_rows=args.proof_rows,
        min_recall=args.min_recall,
        min_precision=args.min_precision,
        min_coverage=args.min_coverage,
        show_errors=args.show_errors,
        force=args.force,
    )
    if args.report is not None:
        check_page_path(args.report, "linnet explain", force=args.force)
        check_not_input(args.report, choose_output(config))
    try:
        report = _export(config)
    except OverBudgetError as error:
        return report_over_budget(error)
    if args.report is not None:
        with terminated_as_interrupt():
            _write_page(report.path, args.report, force=args.force)
    if args.json:
        print(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        print_report(report)
    for warning in report.warnings:
        print(f"linnet: warning: {warning}", file=sys.stderr)
    return 0


def _add_quantization(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("quantization")
    add = group.add_argument
    add(
        "--recipe",
        default="int8",
        help="how to quantize: int8 (default), int8-static, 8da4w, fp16 or fp32; docs/how-to/recipes.md compares them",
    )
    add(
        "--group-size",
        type=int,
        metavar="N",
        help="inputs that share a scale in int4 layers: a multiple of 32 (default 32)",
    )
    add("--algorithm", metavar="NAME", help=f"how int4 weights are rounded: {' or '.join(ALGORITHMS)} (default gptq)")
    add("--observer", metavar="NAME",
        help=f"how int8-static finds ranges: {' or '.join(OBSERVER_NAMES)} (default minmax)")  # fmt: skip
    add(
        "--embedding",
        metavar="PRECISION",
        help="precision of the word embedding: fp32, fp16, 8w or 4w (default: by recipe)",
    )
    add(
        "--embedding-group-size", type=int, metavar="N", help="values that share a scale in a 4w embedding (default 64)"
    )
    add("--calibration", type=Path, metavar="FILE", help="texts for calibration: .jsonl, .csv or plain lines")
    add("--keep", type=_keep, action="append", default=[], metavar="NAME=PRECISION",
        help="precision of one layer, or of all that match a glob or re:EXPRESSION (repeatable)")  # fmt: skip
    add("--auto-mixed-precision", action="store_true",
        help="keep the most sensitive layers in a higher precision, as few as the budget needs")  # fmt: skip


def _quantization(args: argparse.Namespace) -> QuantizationConfig:
    return QuantizationConfig(
        group_size=args.group_size,
        algorithm=args.algorithm,
        observer=args.observer,
        embedding=args.embedding,
        embedding_group_size=args.embedding_group_size,
        keep=tuple(args.keep),
    )


def _keep(text: str) -> tuple[str, str]:
    pattern, equals, precision = text.rpartition("=")
    if not (pattern and equals and precision):
        raise argparse.ArgumentTypeError(f"expected NAME=PRECISION, got {text!r}")
    return pattern, precision


def _write_page(file: Path, page: Path, *, force: bool) -> None:
    facts = read_facts(file)
    write_page(explain_page(facts, measure_latency(file)), page, "linnet explain", force=force)
    print(f"  report      {page}", file=sys.stderr)


def report_over_budget(error: OverBudgetError) -> int:
    """Print the worst texts and the error; return the exit status."""
    _print_worst(error)
    print_errors(Console(sys.stderr), error.errors)
    print(f"linnet: error: {error}", file=sys.stderr)
    return CHECK_FAILED


def name_log(log: Path, error: BaseException, terminal: TextIO) -> None:
    """Say where the libraries' output is, if it may explain the error: what the user did wrong explains itself."""
    if not isinstance(error, Exception) or isinstance(error, OverBudgetError | NoSpaceError):
        return
    if exit_status(error) == RUN_FAILED and log.stat().st_size:
        print(f"linnet: what the libraries printed is in {log}", file=terminal, flush=True)


def _print_worst(error: OverBudgetError) -> None:
    rows = [
        (f"{worst.difference:.4f}", shorten(repr(worst.text), 70), shorten(repr(worst.pair or ""), 40))
        for worst in error.worst
    ]
    if rows:
        Console(sys.stderr).table(("difference", "text", "second text"), rows)


def _export(config: ExportConfig) -> ExportReport:
    with redirect_output() as (terminal, log), terminated_as_interrupt():
        progress = TerminalProgress(terminal)
        try:
            return export(config, progress)
        except BaseException as error:
            progress.interrupted()
            name_log(log, error, terminal)
            raise


@contextmanager
def terminated_as_interrupt() -> Iterator[None]:
    """SIGTERM cleans up as Ctrl-C does."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _labels(text: str) -> tuple[str, ...]:
    path = Path(text)
    items = path.read_text(encoding="utf-8-sig").splitlines() if path.is_file() else text.split(",")
    return tuple(item.strip() for item in items if item.strip())


def _shares(text: str) -> dict[str, float]:
    try:
        return read_shares(text)
    except InvalidArgumentError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _budget(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        equals = ""
        number = 0.0
    if not equals or name not in BUDGET_KEYS:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE with NAME of {', '.join(BUDGET_KEYS)}, got {text!r}")
    return name, number
