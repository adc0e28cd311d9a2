"""Table of a comparison for the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from linnet.cli.console import Console, counted
from linnet_bench.compare.result import Candidate, Comparison, Latency, latency_at
from linnet_bench.machine.state import busy_note
from linnet_bench.record.statistics import median
from linnet_bench.record.table import methods, methods_note

__all__ = ["costs", "latencies", "like_first", "notes", "ran", "show_comparison", "speed_name"]


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Write size, memory, accuracy and cold start; then latencies; then explanations of the marks."""
    headers, rows = costs(comparison)
    console.table(headers, rows, right=range(2, len(headers)))
    for title, (headers, rows) in latencies(comparison):
        console.heading(title)
        console.table(headers, rows, right=range(2, len(headers)))
    console.line()
    for note in notes(comparison):
        console.line(note)


def ran(comparison: Comparison) -> str:
    """Return the methods that were timed, for a heading."""
    return methods(file.method for file in comparison.files)


def costs(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of size, memory, cold start and accuracy of each file."""
    headers = ["file", "recipe", "MB", "partitions", "memory MB", "cold ms", like_first(comparison)]
    kind = "" if comparison.settings.data else "proof: "
    headers += [f"{kind}{name}" for name in _accuracy_names(comparison)]
    return [*headers, ""], [[*_costs(comparison, file), _mark(file)] for file in comparison.files]


def speed_name(comparison: Comparison) -> str:
    """Return what is used as speed, in words."""
    decoder = any(file.decoding for file in comparison.files)
    return f"p50 of a token behind {comparison.tokens}" if decoder else f"p50 at {comparison.tokens} tokens"


def like_first(comparison: Comparison) -> str:
    """Return the header of the agreement with the first file."""
    return f"like {comparison.files[0].label}"


def _costs(comparison: Comparison, file: Candidate) -> Iterator[str]:
    yield file.label
    yield file.file.recipe
    yield f"{file.file.size / 1e6:.2f}"
    yield "" if file.partitions is None else str(file.partitions)
    yield "" if file.peak_memory is None else f"{file.peak_memory / 1e6:.1f}"
    yield f"{median(file.cold_ns) / 1e6:.0f}" if file.cold_ns else ""
    yield f"{file.agreement:.4f}"
    figures = {**file.proof, **file.metrics}
    for name in _accuracy_names(comparison):
        yield _figure(figures.get(name, math.nan))


def _accuracy_names(comparison: Comparison) -> list[str]:
    """Return the names of the data's metrics, or of the proofs' figures."""
    names = [name for file in comparison.files for name in (file.metrics or file.proof) if name != "texts"]
    return list(dict.fromkeys(names))


def _figure(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.1e}"


def _mark(file: Candidate) -> str:
    if file.check.wrong:
        return "WRONG"
    return "beaten" if file.beaten_by else ""


Table: TypeAlias = tuple[list[str], list[list[str]]]
"""Headers and rows."""


def latencies(comparison: Comparison) -> Iterator[tuple[str, Table]]:
    """Yield title, headers and rows of the latencies, a column for each length; nothing if nothing was timed."""
    if any(file.decoding for file in comparison.files):
        prefill, decoding = (
            {file.label: getattr(file, name) for file in comparison.files} for name in ("latencies", "decoding")
        )
        yield f"prefill by {ran(comparison)}, tokens/s of the median", _table(comparison, prefill, "tokens", _prefill)
        title = f"decoding by {ran(comparison)} behind a context, tokens/s of the median, and p90 in ms"
        yield title, _table(comparison, decoding, "behind", _decoding)
    elif any(file.latencies for file in comparison.files):
        own = {file.label: file.latencies for file in comparison.files}
        title = f"latency of {ran(comparison)}, token ids in, numpy out, p50 / p90 ms"
        yield title, _table(comparison, own, "tokens", _latency)


def _table(
    comparison: Comparison, own: Mapping[str, Sequence[Latency]], unit: str, write: Callable[[Latency], str]
) -> Table:
    lengths = sorted({latency.tokens for latencies in own.values() for latency in latencies})
    rows = []
    for threads in comparison.settings.threads:
        for label, latencies in own.items():
            found = [latency_at(latencies, threads, tokens) for tokens in lengths]
            cells = ["" if latency is None else write(latency) for latency in found]
            if any(cells):
                rows.append([str(threads), label, *cells])
    named = [f"behind {tokens}" if unit == "behind" else f"{tokens} {unit}" for tokens in lengths]
    return ["threads", "file", *named], rows


def _latency(latency: Latency) -> str:
    return f"{_ms(latency.summary.p50_ns)} / {_ms(latency.summary.p90_ns)}"


def _prefill(latency: Latency) -> str:
    return f"{latency.tokens * 1e9 / latency.summary.p50_ns:.0f}"


def _decoding(latency: Latency) -> str:
    return f"{1e9 / latency.summary.p50_ns:.1f}, {_ms(latency.summary.p90_ns)}"


def notes(comparison: Comparison) -> Iterator[str]:
    """Yield the notes below the tables."""
    settings = comparison.settings
    yield (
        f"{counted(settings.rounds, 'round')} in fresh processes that take turns; memory: peak after all lengths; "
        f"{like_first(comparison)}: agreement of the answers, on {counted(comparison.agreement_texts, 'text')}"
    )
    for same in comparison.identical():
        yield f"identical files: {', '.join(same)}; their figures differ by chance only"
    if comparison.before is not None:
        busy = busy_note(comparison.before, len(comparison.environment.affinity))
        if busy:
            yield busy + ("" if comparison.judged else "; no file is marked as beaten without --any-load")
    yield from _methods_note(comparison)
    yield from methods_note(file.method for file in comparison.files)
    yield from _accuracy_note(comparison)
    point = f"{speed_name(comparison)} on {counted(comparison.threads, 'thread')}"
    for file in comparison.files:
        if file.check.wrong:
            yield f"{file.label}: no latency, because the answers are wrong: {file.check.message}"
        elif file.beaten_by:
            yield (
                f"{file.label} is beaten by {', '.join(file.beaten_by)}: "
                f"as good or better in size, {point} and {comparison.accuracy}"
            )


def _methods_note(comparison: Comparison) -> Iterator[str]:
    """Yield a note on which method ran for each file, if they differ."""
    files: dict[str, list[str]] = {}
    for file in comparison.files:
        if file.method is not None:
            files.setdefault(file.method, []).append(file.label)
    if len(files) > 1:
        yield "; ".join(f"{', '.join(labels)} ran {method}" for method, labels in sorted(files.items()))


def _accuracy_note(comparison: Comparison) -> Sequence[str]:
    if comparison.settings.data:
        return [f"accuracy: measured now on {comparison.settings.data}"]
    return ["accuracy: figures of each file's proof, against its own original; --data FILE measures them now"]


def _ms(nanoseconds: float) -> str:
    value = nanoseconds / 1e6
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.1f}"
