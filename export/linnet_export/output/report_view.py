"""Text output of the report of an export."""

from __future__ import annotations

from collections.abc import Mapping

from linnet.cli.console import Console, counted
from linnet.cli.entities import print_entities
from linnet.format.evidence import MixedPrecision
from linnet_bench.accuracy.entity_errors import print_errors
from linnet_export.config import UPPER_LIMITS
from linnet_export.output.report import ExportReport

__all__ = ["print_report"]

_MEANING = {
    "max_error": "largest error",
    "mean_error": "mean error",
    "cosine_mean": "mean cosine",
    "cosine_worst": "worst cosine",
    "agreement": "same answer",
    "perplexity": "perplexity",
    "original_perplexity": "perplexity of the original",
    "perplexity_ratio": "ratio of perplexities",
    "kl_mean": "mean KL divergence",
}

_SHOWN_LAYERS = 8


def print_report(report: ExportReport, console: Console | None = None) -> None:
    """Print the sizes, the program, mixed precision, the proof and the notes of an export without its warnings."""
    out = console or Console()
    out.line(f"{report.path}  {_megabytes(report.file_bytes)}  {report.task}, {report.recipe}, {report.status}")
    out.line(f"  {report.quantization}")
    _print_sizes(out, report)
    _print_program(out, report)
    if report.mixed_precision is not None:
        _print_mixed(out, report.mixed_precision)
    _print_proof(out, report)
    if report.entities is not None:
        out.heading(f"entities of {counted(report.entities.rows, 'labelled row')}, {report.entities.method}")
        print_entities(out, report.entities)
        print_errors(out, report.entity_errors)
    for note in report.notes:
        if note not in report.warnings:
            out.line(f"note: {note}")


def _print_sizes(out: Console, report: ExportReport) -> None:
    out.heading("size")
    total = sum(report.parts.values())
    rows = [(name, _megabytes(size), f"{100 * size / total:.1f} %") for name, size in report.parts.items()]
    whole = f"{100 * report.file_bytes / report.checkpoint_bytes:.1f} % of the checkpoint"
    out.table(("part", "size", "share"), [*rows, ("file", _megabytes(report.file_bytes), whole)], right=(1,))


def _print_program(out: Console, report: ExportReport) -> None:
    out.heading("program")
    rows = [
        (
            method,
            str(partitions),
            _counted(report.operators_outside.get(method, {})),
            _megabytes(report.planned_bytes.get(method, 0)),
        )
        for method, partitions in report.partitions.items()
    ]
    planned = f"planned at {report.max_length} tokens"
    out.table(("method", "partitions", "operators outside", planned), rows, right=(1, 3))


def _counted(operators: Mapping[str, int]) -> str:
    names = [f"{name.rpartition('::')[2]} {count}" for name, count in operators.items()]
    return ", ".join(names) or "none"


def _print_proof(out: Console, report: ExportReport) -> None:
    out.heading("proof")
    if not report.figures:
        out.line("none: the file is unproven")
        return
    methods = {"measured": report.figures}
    if report.task == "text-generation":
        methods = {"forward_fused": report.figures}
    elif report.fused:
        methods = {"forward": report.figures, "forward_fused": report.fused}
    if report.seven_bits:
        methods["with 7-bit activations"] = report.seven_bits
    rows = [
        (
            _MEANING.get(name, name),
            *(_figure(name, figures[name]) for figures in methods.values()),
            _limit(name, report.budget.get(name)),
        )
        for name in report.figures
    ]
    columns = (f"against the original, {counted(report.texts, 'text')}", *methods, "budget")
    out.table(columns, rows, right=tuple(range(1, len(methods) + 1)))
    if report.seven_bits and report.activation_bits == 8:
        out.line("7-bit activations are over the budget: every processor rounds them to 8 bits")


def _print_mixed(out: Console, mixed: MixedPrecision) -> None:
    out.heading("mixed precision")
    worst = sorted(mixed.layers, key=lambda layer: -layer.error)[:_SHOWN_LAYERS]
    now = mixed.plan
    rows = [(layer.name, layer.precision, f"{layer.error:.4f}", now[layer.name]) for layer in worst]
    out.table(("most sensitive layers", "precision", "error alone", "chosen"), rows, right=(2,))
    names = [name for name in mixed.curve[0].figures if name in _MEANING]
    points = [
        (
            f"{point.raised}{' <' if point.raised == mixed.raised else ''}",
            _megabytes(point.stored_bytes),
            f"{point.error:.4f}",
            *(_figure(name, point.figures[name]) for name in names),
            "yes" if point.within else "no",
        )
        for point in mixed.curve
    ]
    columns = ("layers raised", "layers' size", "error", *(_MEANING[name] for name in names), "in budget")
    out.table(columns, points, right=tuple(range(1, 3 + len(names))))


def _figure(name: str, value: float) -> str:
    return (
        f"{100 * value:.1f} %" if name == "agreement" else f"{value:.2e}" if name.endswith("_error") else f"{value:.4f}"
    )


def _limit(name: str, limit: float | None) -> str:
    if limit is None:
        return "-"
    return f"{'at most' if name in UPPER_LIMITS else 'at least'} {_figure(name, limit)}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"
