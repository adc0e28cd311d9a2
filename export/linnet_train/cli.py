"""The `linnet train` command: options, progress display and printed report."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from linnet.cli.console import Console, counted
from linnet.cli.entities import print_entities
from linnet.cli.output import check_output_path, write_text
from linnet.errors import NoSpaceError
from linnet.printable import printable, unescaped
from linnet_bench.accuracy.entity_errors import print_errors
from linnet_export import export
from linnet_export.cli import CLEAR, TerminalProgress, name_log, report_over_budget, terminated_as_interrupt
from linnet_export.config import read_shares
from linnet_export.errors import OverBudgetError
from linnet_export.log_capture import redirect_output
from linnet_export.output.deliver import atomic_write, check_format
from linnet_train import train
from linnet_train.checkpoints import last_step
from linnet_train.config import DataConfig, TrainConfig
from linnet_train.exported_file import FileReport, export_config, measure_file, plain_export_config
from linnet_train.fields import build, setting
from linnet_train.options import STAGES_FILE, Options
from linnet_train.output import Output
from linnet_train.progress import QuietTraining, TrainListener
from linnet_train.report import TrainReport
from linnet_train.search import SearchConfig, search
from linnet_train.search.report import SearchReport
from linnet_train.stages_file import StagesFile, find_stages, read_stages

__all__ = ["add_arguments", "run"]

_SHOWN_CONFUSIONS = 8  # the page has more

_EXAMPLE = """\
Interrupted, even by kill -9, the same command with --resume goes on from the last whole checkpoint and ends
with the same weights.

examples:
  linnet train ./encoder --data intents.jsonl -o intents --export intents.pte
  linnet train sentence-transformers/all-MiniLM-L6-v2 --data intents.jsonl -o intents
  linnet train ./encoder --data train.csv --validation dev.csv -o intents --epochs 8 --export intents.pte
  linnet train ./encoder --task token-classification --data train.conll -o entities --export entities.pte
  linnet train ./new --task fill-mask --data corpus.txt -o pretrained
  linnet train ./intents --teacher ./intents --layers 0,2,5 --trim-vocabulary --data intents.jsonl -o small
  linnet train few_shot --model sentence-transformers/all-MiniLM-L6-v2 --data intents.csv -o few --export few.pte
  linnet train stages.toml --data intents.jsonl -o build/intents --export intents.pte --resume
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Extras:
    """Options of the command that are not settings of a training.

    Attributes:
        export: file to go on to.
        quantization: recipe of that file.
        proof_rows: labelled rows whose entities are measured by type with the file.
        min_recall, min_precision, min_coverage: limits of these figures, as
            :func:`linnet_export.config.read_shares` reads them.
        show_errors: most wrong entities of each kind to list.
        first_model: model of the first of several stages.
        json: print the report as JSON.
    """

    export: Path | None = setting(
        "also export the trained model to this proven file", metavar="OUT.pte", goes_with_stages=True, default=None
    )
    quantization: str | None = setting(
        "recipe of the exported file (default int8); --quantization is its older name", "--quantization", "--recipe",
        dest="quantization", metavar="RECIPE", needs=("--export", "--search"), goes_with_stages=True,
        default=None,
    )  # fmt: skip
    proof_rows: Path | None = setting(
        "rows on which the file of a tagger is measured by type (default, with a limit: the held-out rows)",
        metavar="FILE", needs=("--export",), goes_with_stages=True, default=None,
    )  # fmt: skip
    min_recall: str | None = setting(
        "no file below this recall of all entities, or of those of a type", metavar="[TYPE=]SHARE,...",
        needs=("--export",), goes_with_stages=True, default=None,
    )  # fmt: skip
    min_precision: str | None = setting(
        "no file below this precision of all entities, or of those of a type", metavar="[TYPE=]SHARE,...",
        needs=("--export",), goes_with_stages=True, default=None,
    )  # fmt: skip
    min_coverage: str | None = setting(
        "no file that covers a smaller share of the words of all entities, or of those of a type",
        metavar="[TYPE=]SHARE,...", needs=("--export",), goes_with_stages=True, default=None,
    )  # fmt: skip
    show_errors: int = setting(
        "list up to N missed, N other and N invented entities", metavar="N", needs=("--export",),
        goes_with_stages=True, default=0,
    )  # fmt: skip
    first_model: str | None = setting(
        "checkpoint of the first stage of a STAGES.toml",
        "--model",
        dest="first_model",
        metavar="MODEL",
        needs=(STAGES_FILE,),
        goes_with_stages=True,
        default=None,
    )
    json: bool = setting("print the report as JSON", goes_with_stages=True, default=False)


class TrainProgress(TerminalProgress):
    """Shows one line a stage and one an epoch."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._stream = stream

    def epoch_finished(self, text: str) -> None:
        """See :class:`TrainListener`."""
        start = CLEAR if self._stream.isatty() else ""
        print(f"{start}    {printable(text)}", file=unescaped(self._stream), flush=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EXAMPLE
    Options(parser, Extras, TrainConfig, SearchConfig, optional=(SearchConfig,))


def run(args: argparse.Namespace) -> int:
    """Train; return the exit status."""
    args.model = find_stages(args.model)
    args = args.options.complete(args)
    if args.export is not None:
        check_format(args.export)
        check_output_path(args.export, force=args.force or args.resume)
    stages, file = _stages(args)
    if args.search is not None:
        return _search(stages[0][1], args)
    try:
        reports, exported = _run(stages, file, args)
    except OverBudgetError as error:
        print(f"linnet: the trained checkpoint is in {stages[-1][1].output}", file=sys.stderr)
        return report_over_budget(error)
    if _is_first():
        _show(reports, exported, as_json=args.json)
    return 0


def _is_first() -> bool:
    """Of several processes that torchrun or accelerate started, one speaks."""
    return int(os.environ.get("RANK", "0")) == 0


def _stages(args: argparse.Namespace) -> tuple[list[tuple[str, TrainConfig]], StagesFile | None]:
    values = args.options.values(TrainConfig, args)
    if not args.model.endswith(".toml"):
        config = build(TrainConfig, values, "train")
        return [(config.output.name, config)], None
    data = build(DataConfig, values["data"], "data")
    file = read_stages(Path(args.model), args.first_model)
    stages = [
        (stage.name, stage.config(args.output, data, resume=args.resume, force=args.force)) for stage in file.stages
    ]
    return stages, file


def _run(
    stages: list[tuple[str, TrainConfig]], stages_file: StagesFile | None, args: argparse.Namespace
) -> tuple[list[tuple[str, TrainReport]], FileReport | None]:
    with redirect_output() as (terminal, log), terminated_as_interrupt():
        listener: TrainListener = TrainProgress(terminal) if _is_first() else QuietTraining()
        try:
            last = stages[-1][1]
            exported = None if args.export is None else _export_settings(args, stages_file)
            if exported is not None:
                plain_export_config(last, args.export, exported)  # what cannot be is refused before it is trained
            reports = []
            for name, config in stages:
                stage = f"{name}: " if stages_file else ""
                print(f"{stage}{config.model} -> {config.output}", file=terminal, flush=True)
                reports.append((name, train(config, listener)))
            file = None
            if exported is not None and _is_first():
                wanted = export_config(last, args.export, exported)
                file = measure_file(export(wanted, listener), last.output, last.task)
        except BaseException as error:
            if isinstance(listener, TrainProgress):
                listener.interrupted()
                if isinstance(error, KeyboardInterrupt):
                    print(_how_to_go_on([config for _, config in stages]), file=terminal, flush=True)
            name_log(log, error, terminal)
            if isinstance(error, NoSpaceError):
                for _, config in stages:
                    Output(config.output).let_same_command_go_on()
            raise
    return reports, file


def _how_to_go_on(stages: Sequence[TrainConfig]) -> str:
    """Return what an interruption left, and how the training goes on."""
    kept = [config.output for config in stages if Output(config.output).settings.is_file()]
    if not kept:
        return "linnet: no step was made yet: the same command starts again"
    checkpoint = last_step(Output(kept[-1]).checkpoints)
    if Output(kept[-1]).finished.is_file():
        there = f"{kept[-1]} is trained"
    elif checkpoint is None:
        there = f"{kept[-1]} has no whole checkpoint yet"
    else:
        there = f"{kept[-1]} has a checkpoint of step {checkpoint}"
    return f"linnet: {there}: the same command with --resume goes on"


def _search(base: TrainConfig, args: argparse.Namespace) -> int:
    from linnet_train.search.page import search_page
    from linnet_train.search.trial import FILE

    config = build(SearchConfig, args.options.values(SearchConfig, args), "search")
    exported = {} if args.quantization is None else {"recipe": args.quantization}
    with redirect_output() as (terminal, _), terminated_as_interrupt():
        progress = TrainProgress(terminal)
        try:
            report = search(base, config, exported, progress)
        except KeyboardInterrupt:
            progress.interrupted()
            print("linnet: finished trials are kept: the same command with --resume goes on", file=terminal, flush=True)
            raise
    page = report.output / "search.html"
    write_text(search_page(report), page, force=True)
    if args.export is not None and report.best is not None:
        best = report.output / "best" / FILE
        with atomic_write(args.export, best.stat().st_size) as aside:
            shutil.copyfile(best, aside)
    _show_search(report, page, as_json=args.json)
    return 0 if report.best is not None else 1


def _show_search(report: SearchReport, page: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
        return
    console = Console()
    headers, rows = report.rows()
    console.table(tuple(headers), [tuple(row) for row in rows], right=tuple(range(1, len(headers))))
    console.line(f"{counted(len(report.trials), 'trial')}, {len(report.failures)} failed; all of them are in {page}")
    if report.best is None:
        console.line("none fits the budget: allow more, or search over --search-layers and --search-intermediate-size")
    else:
        console.line(f"the best that fits is in {report.output / 'best'}, with its file, model.pte")


def _export_settings(args: argparse.Namespace, stages_file: StagesFile | None) -> dict[str, Any]:
    settings = dict(stages_file.export) if stages_file else {}
    if args.quantization is not None:
        settings["recipe"] = args.quantization
    limits = (
        ("min_recall", args.min_recall),
        ("min_precision", args.min_precision),
        ("min_coverage", args.min_coverage),
    )
    for name, text in limits:
        if text is not None:
            settings[name] = read_shares(text)
    if args.proof_rows is not None:
        settings["proof_rows"] = args.proof_rows
    if args.show_errors:
        settings["show_errors"] = args.show_errors
    return settings


def _show(reports: list[tuple[str, TrainReport]], file: FileReport | None, *, as_json: bool) -> None:
    if as_json:
        printed: dict[str, Any] = {"stages": {name: report.to_json() for name, report in reports}}
        print(json.dumps(printed | ({"file": file.to_json()} if file else {}), ensure_ascii=False, indent=2))
        return
    console = Console()
    names = list(reports[-1][1].figures)
    if file is not None and not set(names) & set(file.figures):
        names += file.figures  # of a decoder: what the file is measured by
    rows = [row for name, report in reports for row in _stage_rows(name, report, names)]
    if file is not None:
        rows.append((file.path.name, "", f"{file.megabytes:.2f} MB", *(_number(file.figures, name) for name in names)))
    console.table(("on held-out rows", "weights", "file", *names), rows, right=tuple(range(1, len(names) + 3)))
    for name, report in reports:
        best = f"epoch {report.best_epoch} of {report.epochs}" if report.best_epoch else "the last epoch"
        console.line(
            f"{name}: {counted(report.rows, 'row')}, {report.held_out} held out, weights of {best}, in {report.output}"
        )
        console.line(f"  {_pace(report)}; the page is {Output(report.output).page}")
        for text in (*report.shrunk, *(f"note: {note}" for note in report.notes)):
            console.line(f"  {text}")
        _show_confusions(console, report)
        for text in report.warnings:
            print(f"linnet: warning: {name}: {text}", file=sys.stderr)
    if file is not None and file.entities is not None:
        console.heading(f"entities of {counted(file.entities.rows, 'labelled row')}, {file.entities.method}")
        print_entities(console, file.entities)
        print_errors(console, file.entity_errors)
    if file is None:
        console.line(f"next: linnet export {reports[-1][1].output} -o model.pte")


def _pace(report: TrainReport) -> str:
    pace = f"{report.steps} steps of {report.batch_size} rows at {report.learning_rate:g}"
    return f"{pace}, the epoch chosen by {report.chosen_by}" if report.chosen_by else pace


def _show_confusions(console: Console, report: TrainReport) -> None:
    shown = report.confusions[:_SHOWN_CONFUSIONS]
    if shown:
        rows = [(pair.expected, pair.found, f"{pair.count} of {pair.rows}") for pair in shown]
        console.table(("right class", "taken for", "held-out rows"), rows, right=(2,))


def _stage_rows(name: str, report: TrainReport, names: list[str]) -> list[tuple[str, ...]]:
    size = (f"{report.parameters / 1e6:.2f} M", "")
    rows = [("  " + name + ", shrunk", *size, *(_number(report.start, key) for key in names))] if report.start else []
    if report.temperature != 1 or report.out_of_scope_shift:
        rows.append((f"  {name}, trained", *size, *(_number(report.before_calibration, key) for key in names)))
    return [*rows, (name, *size, *(_number(report.figures, key) for key in names))]


def _number(figures: Any, name: str) -> str:
    return f"{figures[name]:.4f}" if name in figures else "-"
