"""Plots of benchmark records. Records made under an emulator are never drawn: their times would look like results."""

from __future__ import annotations

from collections.abc import Sequence

from linnet.cli.console import counted
from linnet_bench.html import Axis, Bar, Markup, Point, Series, bar_chart, line_chart, scatter_chart
from linnet_bench.html.figures import percent
from linnet_bench.record.preset import HEADLINE, points
from linnet_bench.record.profile import DECODE, PREFILL, LengthProfile
from linnet_bench.record.record import Record
from linnet_bench.record.statistics import median
from linnet_bench.report.names import NamedRecord
from linnet_bench.report.tables import best_point, speed_length

__all__ = ["accuracy_chart", "cold_chart", "device_chart", "latency_charts", "memory_chart", "operator_charts"]

_ACCURACY = ("agreement", "cosine_mean")
_OPERATORS = 12
_PROFILE_AT = 128


def latency_charts(records: Sequence[NamedRecord]) -> list[Markup]:
    """Return one chart for each thread count: p50 by length, p50 to p99 shaded."""
    by_threads: dict[int, list[Series]] = {}
    for record in records:
        all_points = points(record.record.runs)
        for threads in sorted({point.threads for point in all_points}):
            own = [point for point in all_points if point.threads == threads]
            line = [(float(point.tokens), point.middle(50) / 1e6) for point in own]
            band = [(point.middle(50) / 1e6, point.middle(99) / 1e6) for point in own]
            by_threads.setdefault(threads, []).append(Series(record.name, line, band))
    lengths = sorted({at for series in by_threads.values() for one in series for at, _ in one.points})
    return [
        line_chart(
            f"Latency on {counted(threads, 'thread')}",
            series,
            x=Axis("tokens", log=True, ticks=lengths),
            y=Axis("latency", "ms", log=True, better="low"),
            band_name="p50 to p99",
        )
        for threads, series in sorted(by_threads.items())
    ]


def device_chart(records: Sequence[NamedRecord]) -> Markup | None:
    """Return the headline of each record at one length, each with its fastest thread count."""
    tokens = speed_length(records)
    bars = []
    for record in records:
        point = best_point(record.record, tokens)
        if point is not None:
            note = f"{counted(point.threads, 'thread')}, {counted(point.samples, 'sample')}"
            bars.append(Bar(record.name, [point.middle(HEADLINE) / 1e6], note))
    if not bars:
        return None
    title = f"p{HEADLINE} at {tokens} tokens, each with its fastest number of threads"
    return bar_chart(title, bars, axis=Axis("latency", "ms", better="low"), listed=False)


def cold_chart(records: Sequence[NamedRecord]) -> Markup | None:
    """Return the time from process start to the first line of output."""
    cold = [(record.name, record.record.cold_start) for record in records if record.record.cold_start is not None]
    bars = [
        Bar(name, [median(times) / 1e6 for times in (cold_start.bare_ns, cold_start.numpy_ns, cold_start.answer_ns)])
        for name, cold_start in cold if cold_start is not None
    ]  # fmt: skip
    if not bars:
        return None
    names = ("bare interpreter", "with numpy", "first answer of linnet")
    axis = Axis("from process start", "ms", better="low")
    return bar_chart("Cold start, median of fresh processes", bars, axis=axis, series=names, listed=False)


def memory_chart(records: Sequence[NamedRecord]) -> Markup | None:
    """Return peaks of resident memory beside the file's size."""
    bars = []
    for record in records:
        cold = record.record.cold_start
        peaks = [run.peak_memory for run in record.record.runs if run.peak_memory is not None]
        values = [record.record.file.size / 1e6, None if cold is None else cold.answer_memory / 1e6,
                  max(peaks) / 1e6 if peaks else None]  # fmt: skip
        bars.append(Bar(record.name, values))
    if not bars:
        return None
    names = ("the file", "peak at the first answer", "peak after all lengths")
    return bar_chart("Memory", bars, axis=Axis("size", "MB", better="low"), series=names, listed=False)


def accuracy_chart(records: Sequence[NamedRecord]) -> Markup | None:
    """Return accuracy by latency, if the proofs of at least two files have a common accuracy figure."""
    tokens = speed_length(records)
    for figure in _ACCURACY:
        dots = [
            Point(record.name, point.middle(50) / 1e6, record.record.file.proof[figure])
            for record in records
            if figure in record.record.file.proof and (point := best_point(record.record, tokens)) is not None
        ]
        if len({record.record.file.sha256 for record in records if figure in record.record.file.proof}) > 1 and dots:
            name = {"agreement": "agreement with the original", "cosine_mean": "mean cosine with the original"}[figure]
            x = Axis(f"p50 at {tokens} tokens", "ms", better="low")
            return scatter_chart("Accuracy by latency", dots, x=x, y=Axis(name, better="high", most=1.0))
    return None


def operator_charts(named: NamedRecord) -> list[Markup]:
    """Return the share of each operator in the profile nearest to 128 tokens; of a decoder, of prefill and decode."""
    steps = dict.fromkeys(profile.step for run in named.record.runs for profile in run.profiles)
    return [_operator_chart(named, *_profile(named.record, step)) for step in steps]


def _operator_chart(named: NamedRecord, threads: int, profile: LengthProfile) -> Markup:
    bars = [Bar(row.name, [row.share], row.kind) for row in profile.operators[:_OPERATORS]]
    rest = sum(row.share for row in profile.operators[_OPERATORS:])
    if rest:
        bars.append(Bar(f"{len(profile.operators) - _OPERATORS} more", [rest]))
    where = {PREFILL: "prefill of ", DECODE: "one token behind "}.get(profile.step, "")
    title = f"{named.name}: share of each operator, {where}{profile.tokens} tokens, {counted(threads, 'thread')}"
    return bar_chart(title, bars, axis=Axis("share of the time"), written=percent, listed=False)


def _profile(record: Record, step: str) -> tuple[int, LengthProfile]:
    profiles = [(run.threads, profile) for run in record.runs for profile in run.profiles if profile.step == step]
    return min(profiles, key=lambda pair: abs(pair[1].tokens - _PROFILE_AT))
