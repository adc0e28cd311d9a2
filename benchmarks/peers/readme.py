"""Short Markdown tables of a comparison: ``--markdown OUT``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.peers.catalogue import FAMILIES, OURS
from benchmarks.peers.compare import latency_ms, ratios
from benchmarks.peers.markdown import footprint_table, table
from benchmarks.peers.plan import TIMED
from benchmarks.peers.report import Comparison, Report, targets
from linnet.cli.console import counted

__all__ = ["to_readme"]


def to_readme(report: Report) -> str:
    """Return the tables, one for each part and thread count, then the targets."""
    machine = report.environment
    lines = [f"{machine.cpu}, {len(machine.affinity)} CPUs; " + ", ".join(_versions(report)) + "."]
    for part in TIMED:
        for threads in dict.fromkeys(comparison.wanted.threads for comparison in report.comparisons):
            chosen = [c for c in report.comparisons if (c.wanted.part, c.wanted.threads) == (part, threads)]
            lines += _timed(chosen) if chosen else []
    for model, cold in report.cold.items():
        lines += ["", f"{model}:", "", *footprint_table(model, cold, report)]
    for model, encode in report.encode.items():
        lines += ["", f"{model}, encode of {encode.texts} texts on {encode.threads} threads:", "", *encode.lines()]
    for model, roofline in report.roofline.items():
        lines += ["", f"{model}: {roofline.summary()}"]
    reached = targets(report)
    lines += ["", *(f"- {target.line()}" for target in reached)] if reached else []
    return "\n".join(lines) + "\n"


def _versions(report: Report) -> Iterator[str]:
    return (f"{name} {version}" for name, version in report.versions.items())


def _timed(comparisons: Iterable[Comparison]) -> list[str]:
    rows: list[list[str]] = []
    header: list[str] = []
    for comparison in comparisons:
        wanted, rounds = comparison.wanted, comparison.family_rounds
        many = wanted.batch > 1
        threads = f"{counted(wanted.threads, 'thread')}"
        header = [f"{TIMED[wanted.part].title}, {'texts/s' if many else 'ms'}, {threads}", *map(str, wanted.lengths)]
        times = [latency_ms(rounds, OURS, length) for length in wanted.lengths]
        figures = [f"{wanted.batch * 1e3 / ms:.0f}" if many else f"{ms:.3g}" for ms in times]
        rows.append([f"{wanted.spec.title}, linnet", *figures])
        for family in comparison.families:
            if family not in (OURS, "executorch"):
                by_length = ratios(rounds, OURS, family)
                name = f"{FAMILIES[family]} / linnet, time"
                rows.append([name, *(f"{ratio.middle:.2f}x" for ratio in by_length.values())])
    return ["", *table(header, rows)]
