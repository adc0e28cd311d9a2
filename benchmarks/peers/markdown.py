"""The full report as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.peers.catalogue import ENGINES, FAMILIES, OURS
from benchmarks.peers.compare import Ratio, Round, fastest_ratios, latency_ms, overall, ratios
from benchmarks.peers.footprint import BASELINES, ColdResult
from benchmarks.peers.plan import TIMED
from benchmarks.peers.report import Comparison, Report, targets, worst_cosines
from benchmarks.peers.rounds import RoundsResult
from linnet.cli.console import counted
from linnet_bench.machine.environment import State, busy_note
from linnet_bench.record.statistics import PERCENTILE_DEFINITION, geometric_mean, median

__all__ = ["table", "to_markdown"]


def to_markdown(report: Report) -> str:
    """Return the whole report as Markdown."""
    lines = [*_preamble(report)]
    for comparison in report.comparisons:
        lines += _comparison(comparison)
    for model, cold in report.cold.items():
        lines += [f"\n## Start, memory, size: {model}\n", *footprint_table(model, cold, report)]
    for model, scaling in report.scaling.items():
        lines.append(
            f"\n{model}, two sessions on two threads against one ({scaling.tokens} tokens): "
            f"**{scaling.ratio:.2f}x** ({scaling.low:.2f}-{scaling.high:.2f})"
        )
    for model, encode in report.encode.items():
        lines += [f"\n## encode of {encode.texts} texts: {model}\n", *encode.lines()]
    for model, roofline in report.roofline.items():
        lines += [f"\n## Roofline: {model}\n", *roofline.lines()]
    reached = targets(report)
    if reached:
        lines += [
            f"\n## Targets for processors with {report.kernels or 'unknown'} kernels\n",
            *(f"- {target.line()}" for target in reached),
        ]
    if report.partial:
        lines.append("\n**Interrupted**: only what had been finished is shown.")
    return "\n".join(lines) + "\n"


def _preamble(report: Report) -> Iterator[str]:
    machine = report.environment
    yield "# linnet beside its peers\n"
    yield f"{report.created}; {machine.cpu}, {machine.architecture}, {len(machine.affinity)} CPUs, {machine.os}  "
    yield f"features: {' '.join(machine.cpu_features)}  "
    load = f"{_load(report.before)} before, {_load(report.after)} after"
    yield f"load average {load}; governor {', '.join(machine.governors) or 'not told'}; {report.seconds / 60:.0f} min  "
    yield f"{', '.join(f'{name} {version}' for name, version in report.versions.items())}\n"
    busy = busy_note(report.before, len(machine.affinity))
    if busy:
        yield f"**{busy[0].upper()}{busy[1:]}.**\n"
    yield (
        "Each engine runs in short processes of its own, in turns; latencies are medians of one turn "
        f"({PERCENTILE_DEFINITION}), then the median over the turns. Ratios are peer / linnet of the same turn: "
        "above 1 linnet is faster; in brackets smallest and largest turn. Inputs are the same token ids of real "
        "text. Where a peer has several variants, the fastest at each length counts. The last column is the "
        "mean ratio of the single fastest runs, which other work on the machine disturbs least."
    )


def _load(state: State) -> str:
    return f"{state.load_average[0]:.2f}" if state.load_average else "unknown"


def _comparison(comparison: Comparison) -> list[str]:
    wanted, result = comparison.wanted, comparison.result
    batch = wanted.batch
    header = ["texts/s" if batch > 1 else "ms", *map(str, wanted.lengths)]
    rows = [
        [ENGINES[engine].title, *(_figure(result.rounds, engine, length, batch) for length in wanted.lengths)]
        for engine in wanted.engines
    ]
    where = f"{counted(wanted.threads, 'thread')}, {counted(len(result.rounds), 'turn')}"
    title = f"{TIMED[wanted.part].title}: {wanted.spec.title}, {where}"
    lines = [f"\n## {title}\n", *table(header, rows), ""]
    rounds = comparison.family_rounds
    by_peer = {family: ratios(rounds, OURS, family) for family in comparison.families if family != OURS}
    header = ["peer / linnet, time", *map(str, wanted.lengths), "mean", "worst point", "mean of fastest"]
    rows = [
        [
            _better(comparison, peer),
            *map(_ratio, by_length.values()),
            *_means(by_length, fastest_ratios(rounds, OURS, peer)),
        ]
        for peer, by_length in by_peer.items()
    ]
    return [*lines, *table(header, rows), "\nSmallest cosine with PyTorch eager: " + _cosines(result)]


def _figure(rounds: Sequence[Round], engine: str, length: int, batch: int) -> str:
    milliseconds = latency_ms(rounds, engine, length)
    return f"{batch * 1e3 / milliseconds:.0f}" if batch > 1 else f"{milliseconds:.2f}"


def _better(comparison: Comparison, family: str) -> str:
    several = len(comparison.families[family]) > 1
    return (
        f"{FAMILIES[family]} ({'fastest' if len(comparison.families[family]) > 2 else 'better'})"
        if several
        else (FAMILIES[family])
    )


def _means(by_length: Mapping[int, Ratio], fastest: Mapping[int, float]) -> list[str]:
    mean = overall(by_length)
    return [f"**{mean.middle:.2f}**", f"{mean.low:.2f}", f"{geometric_mean(list(fastest.values())):.2f}"]


def _cosines(result: RoundsResult) -> str:
    return ", ".join(f"{ENGINES[engine].title} {value:.4f}" for engine, value in worst_cosines(result).items())


def footprint_table(model: str, cold: Mapping[str, ColdResult], report: Report) -> list[str]:
    """Return start, memory and size of each engine as a table."""
    latencies = [c for c in report.comparisons if (c.wanted.spec.name, c.wanted.part) == (model, "latency")]
    rows = []
    for name, result in cold.items():
        peaks = [c.result.peak_memory[name] for c in latencies if name in c.result.peak_memory]
        rows.append(
            [
                name if name in BASELINES else ENGINES[name].title,
                f"{median(result.first_line_ns) / 1e6:.0f}",
                f"{min(result.first_line_ns) / 1e6:.0f}-{max(result.first_line_ns) / 1e6:.0f}",
                f"{median(result.peak_memory) / 1e6:.0f}",
                f"{max(peaks) / 1e6:.0f}" if peaks else "",
                f"{report.installed[name] / 1e6:.0f}" if name in report.installed else "",
            ]
        )
    header = ["", "start to first answer, ms", "range", "peak memory, MB", "after all lengths, MB", "installed, MB"]
    return table(header, rows)


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.middle:.2f} ({ratio.low:.2f}-{ratio.high:.2f})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table, padded to be readable as plain text; all columns but the first are right-aligned."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    cells = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (header, *rows)]
    rule = ["-" * max(widths[0], 3), *("-" * (max(width, 2) - 1) + ":" for width in widths[1:])]
    return ["| " + " | ".join(row) + " |" for row in (cells[0], rule, *cells[1:])]
