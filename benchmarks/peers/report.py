"""The comparison for people (Markdown) and for programs (JSON)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.peers.compare import Ratio, best_of, cosine, fastest_ratios, latency_ms, overall, ratios
from benchmarks.peers.concurrency import Scaling
from benchmarks.peers.engines import ENGINES
from benchmarks.peers.footprint import BASELINES, ColdResult, installed_size
from benchmarks.peers.rounds import RoundsResult, Wanted
from linnet.bench.environment import Environment, State, busy_note
from linnet.bench.statistics import PERCENTILE_DEFINITION, geometric_mean, median

__all__ = ["OURS", "REPORT_KIND", "Comparison", "Report", "to_json", "to_markdown", "worst_cosines"]

REPORT_KIND = "linnet-peers"
REPORT_VERSION = "1.0"
OURS = "linnet"
_ONNX = ("onnxruntime-fused", "onnxruntime-plain")
_BEST = "onnxruntime-best"
_REFERENCE = "torch"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """One model with one thread count.

    Attributes:
        wanted: what was compared.
        result: what the rounds gave.
    """

    wanted: Wanted
    result: RoundsResult


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Everything of one run.

    Attributes:
        created: when it began, ISO 8601 in UTC.
        environment: the machine.
        versions: of the engines' distributions.
        before, after: state of the machine.
        files: SHA-256 of each file by its path in the cache.
        comparisons: one for each model and thread count.
        cold: cold starts by model, then by engine or baseline.
        scaling: two sessions against one, by model.
        partial: it was interrupted.
    """

    created: str
    environment: Environment
    versions: Mapping[str, str]
    before: State
    after: State
    files: Mapping[str, str]
    comparisons: Sequence[Comparison]
    cold: Mapping[str, Mapping[str, ColdResult]]
    scaling: Mapping[str, Scaling]
    partial: bool


def worst_cosines(result: RoundsResult) -> dict[str, float]:
    """Return for each engine the smallest cosine of its outputs with those of PyTorch eager, over all lengths."""
    reference = result.outputs[_REFERENCE]
    return {
        engine: min(cosine(output, reference[length]) for length, output in outputs.items())
        for engine, outputs in result.outputs.items()
    }


def to_markdown(report: Report) -> str:
    """Return the report as Markdown."""
    lines = [*_preamble(report)]
    for comparison in report.comparisons:
        lines += _comparison(comparison)
    for model, cold in report.cold.items():
        lines += _cold(model, cold, report)
    for model, scaling in report.scaling.items():
        lines.append(
            f"\n{model}, two sessions on two threads against one ({scaling.tokens} tokens): "
            f"**{scaling.ratio:.2f}x** ({scaling.low:.2f}-{scaling.high:.2f})"
        )
    if report.partial:
        lines.append("\n**Interrupted**: only what had been finished is shown.")
    return "\n".join(lines) + "\n"


def _preamble(report: Report) -> Iterator[str]:
    machine = report.environment
    yield "# linnet beside its peers\n"
    yield f"{report.created}; {machine.cpu}, {machine.architecture}, {len(machine.affinity)} CPUs, {machine.os}  "
    yield f"features: {' '.join(machine.cpu_features)}  "
    load = f"{_load(report.before)} before, {_load(report.after)} after"
    yield f"load average {load}; governor {', '.join(machine.governors) or 'not told'}  "
    yield f"{', '.join(f'{name} {version}' for name, version in report.versions.items())}\n"
    busy = busy_note(report.before, len(machine.affinity))
    if busy:
        yield f"**{busy[0].upper()}{busy[1:]}.**\n"
    yield (
        "Each engine runs in short processes of its own, in turns; latencies are medians of one turn "
        f"({PERCENTILE_DEFINITION}), then the median over the turns. Ratios are peer / linnet of the same turn: "
        "above 1 linnet is faster; in brackets smallest and largest turn. Inputs are the same token ids of real "
        'text, batch 1. "ONNX Runtime (better)" is the faster of its two files at each length. The last column is the '
        "mean ratio of the single fastest runs, which other work on the machine disturbs least."
    )


def _load(state: State) -> str:
    return f"{state.load_average[0]:.2f}" if state.load_average else "unknown"


def _comparison(comparison: Comparison) -> list[str]:
    wanted, rounds = comparison.wanted, comparison.result.rounds
    engines = list(wanted.engines)
    if set(_ONNX) <= set(engines):
        rounds, engines = best_of(rounds, _ONNX, _BEST), [*engines, _BEST]
    header = ["ms", *map(str, wanted.lengths)]
    rows = [[_title(engine), *_latencies(comparison, rounds, engine)] for engine in engines if engine != _BEST]
    lines = [f"\n## {wanted.spec.title}, {wanted.threads} thread(s), {len(rounds)} turns\n", *_table(header, rows), ""]
    peers = [engine for engine in engines if engine != OURS and not (_BEST in engines and engine in _ONNX)]
    by_peer = {peer: ratios(rounds, OURS, peer) for peer in peers}
    header = ["peer / linnet", *map(str, wanted.lengths), "mean", "worst point", "mean of fastest"]
    rows = [
        [_title(peer), *map(_ratio, found.values()), *_means(found, fastest_ratios(rounds, OURS, peer))]
        for peer, found in by_peer.items()
    ]
    lines += [*_table(header, rows), "\nSmallest cosine with PyTorch eager: " + _cosines(comparison.result)]
    return lines


def _latencies(
    comparison: Comparison, rounds: Sequence[Mapping[str, Mapping[int, Sequence[int]]]], engine: str
) -> list[str]:
    return [f"{latency_ms(rounds, engine, length):.2f}" for length in comparison.wanted.lengths]


def _means(found: Mapping[int, Ratio], fastest: Mapping[int, float]) -> list[str]:
    mean = overall(found)
    return [f"**{mean.middle:.2f}**", f"{mean.low:.2f}", f"{geometric_mean(list(fastest.values())):.2f}"]


def _cosines(result: RoundsResult) -> str:
    return ", ".join(f"{_title(engine)} {value:.4f}" for engine, value in worst_cosines(result).items())


def _cold(model: str, cold: Mapping[str, ColdResult], report: Report) -> list[str]:
    peaks = {
        engine: max(c.result.peak_memory[engine] for c in report.comparisons if c.wanted.spec.name == model)
        for engine in cold
        if engine not in BASELINES and any(c.wanted.spec.name == model for c in report.comparisons)
    }
    rows = []
    for name, result in cold.items():
        size = "" if name in BASELINES else f"{installed_size(ENGINES[name].distributions) / 1e6:.0f}"
        rows.append(
            [
                _title(name),
                f"{median(result.first_line_ns) / 1e6:.0f}",
                f"{median(result.peak_memory) / 1e6:.0f}",
                f"{peaks[name] / 1e6:.0f}" if name in peaks else "",
                size,
            ]
        )
    header = ["", "process start to first answer, ms", "peak memory, MB", "after all lengths, MB", "installed, MB"]
    return [f"\n## Start, memory, size: {model}\n", *_table(header, rows)]


def _title(engine: str) -> str:
    if engine == _BEST:
        return "ONNX Runtime (better)"
    return ENGINES[engine].title if engine in ENGINES else engine


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.middle:.2f} ({ratio.low:.2f}-{ratio.high:.2f})"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    cells = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (header, *rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return ["| " + " | ".join(row) + " |" for row in (cells[0], rule, *cells[1:])]


def to_json(report: Report) -> str:
    """Return the report with all samples as JSON; outputs are reduced to their cosines."""
    data = {
        "kind": REPORT_KIND,
        "schema_version": REPORT_VERSION,
        "created": report.created,
        "partial": report.partial,
        "percentiles": PERCENTILE_DEFINITION,
        "environment": dataclasses.asdict(report.environment),
        "versions": dict(report.versions),
        "before": dataclasses.asdict(report.before),
        "after": dataclasses.asdict(report.after),
        "files": dict(report.files),
        "comparisons": [_comparison_data(each) for each in report.comparisons],
        "cold": {
            model: {name: dataclasses.asdict(result) for name, result in cold.items()}
            for model, cold in report.cold.items()
        },
        "scaling": {model: dataclasses.asdict(scaling) for model, scaling in report.scaling.items()},
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def _comparison_data(comparison: Comparison) -> dict[str, object]:
    wanted, result = comparison.wanted, comparison.result
    peers = [engine for engine in wanted.engines if engine != OURS]
    return {
        "model": wanted.spec.name,
        "threads": wanted.threads,
        "engines": list(wanted.engines),
        "seconds": wanted.seconds,
        "rounds_ns": [
            {engine: {str(n): list(samples) for n, samples in by.items()} for engine, by in one.items()}
            for one in result.rounds
        ],
        "ratios": {
            peer: {str(n): dataclasses.asdict(r) for n, r in ratios(result.rounds, OURS, peer).items()}
            for peer in peers
        },
        "worst_cosine": worst_cosines(result),
        "load_ns": result.load_ns,
        "peak_memory": result.peak_memory,
    }
