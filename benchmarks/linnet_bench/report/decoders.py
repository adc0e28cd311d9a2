"""Tables and plots of decoders: prefill and decoding in tokens a second, and the time to the first token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from linnet.cli.console import counted
from linnet_bench.html import Axis, Markup, Series, line_chart
from linnet_bench.html.figures import percent, significant
from linnet_bench.record.decoder_table import speeds
from linnet_bench.record.preset import Point, decode_points, first_token_points, is_decoder, points
from linnet_bench.record.record import Record, ThreadRun
from linnet_bench.record.statistics import median
from linnet_bench.report.names import NamedRecord, device_name
from linnet_bench.report.tables import Rows, answers, method_text, peak_memory, speed_length

__all__ = ["charts", "decoders_of", "figures", "short"]


def decoders_of(records: Sequence[NamedRecord]) -> tuple[list[NamedRecord], list[NamedRecord]]:
    """Return the records of decoders, and the others."""
    decoders = [record for record in records if is_decoder(record.record)]
    return decoders, [record for record in records if record not in decoders]


def short(records: Sequence[NamedRecord]) -> Rows:
    """Return the summary: one row for each record, behind a context that all have, or else each behind its own."""
    common = speed_length(records)
    headers = ("record", "device", "file", "recipe", "context", "prefill tokens/s", "first token ms", "decode tokens/s",
               "threads", "cold ms", "peak MB", "answers", "method")  # fmt: skip
    rows = [[*_short(record, common)] for record in records]
    return Rows(headers, rows, tuple(range(4, 11)))


def _short(named: NamedRecord, common: int | None) -> Iterator[str]:
    record = named.record
    context = speed_length([named]) if common is None else common
    fastest = min(_at(decode_points(record.runs), context), key=lambda point: point.middle(50), default=None)
    yield named.name
    yield device_name(record)
    yield record.file.name
    yield record.file.recipe
    yield "" if fastest is None else str(context)
    yield _rate(points(record.runs), fastest)
    yield _time(first_token_points(record.runs), fastest)
    yield "" if fastest is None else significant(speeds(fastest)[0])
    yield "" if fastest is None else str(fastest.threads)
    yield "" if record.cold_start is None else significant(median(record.cold_start.answer_ns) / 1e6)
    peak = peak_memory(record)
    yield "" if peak is None else significant(peak / 1e6)
    yield answers(record)
    yield method_text(record)


def _at(found: Sequence[Point], context: int | None) -> list[Point]:
    return [point for point in found if point.tokens == context]


def _same(found: Sequence[Point], point: Point | None) -> Point | None:
    """Return the point of the same thread count and context."""
    if point is None:
        return None
    return next((other for other in _at(found, point.tokens) if other.threads == point.threads), None)


def _rate(found: Sequence[Point], point: Point | None) -> str:
    same = _same(found, point)
    return "" if same is None else significant(speeds(same)[0])


def _time(found: Sequence[Point], point: Point | None) -> str:
    same = _same(found, point)
    return "" if same is None else significant(same.middle(50) / 1e6)


def figures(records: Sequence[NamedRecord]) -> Rows:
    """Return prefill and decoding by record, thread count and context; medians over the repeats."""
    headers = ("record", "threads", "context", "prefill tokens/s", "spread of p50", "first token ms", "decode tokens/s",
               "p50 ms", "p90 ms", "p99 ms", "mJ a token", "tokens")  # fmt: skip
    rows = [[record.name, *_figures(record.record, point)]
            for record in records for point in points(record.record.runs)]  # fmt: skip
    used = [column for column in range(len(headers)) if any(row[column] for row in rows)]
    return Rows(
        tuple(headers[column] for column in used),
        [[row[column] for column in used] for row in rows],
        tuple(range(1, len(used))),
    )


def _figures(record: Record, filled: Point) -> Iterator[str]:
    going = _same(decode_points(record.runs), filled)
    yield str(filled.threads)
    yield str(filled.tokens)
    yield significant(speeds(filled)[0])
    yield percent(filled.spread(50)) if len(filled.results) > 1 else ""
    yield _time(first_token_points(record.runs), filled)
    yield "" if going is None else significant(speeds(going)[0])
    for q in (50, 90, 99):
        yield "" if going is None else significant(going.middle(q) / 1e6)
    energy = None if going is None else going.energy_j
    yield "" if energy is None else significant(energy * 1e3)
    yield "" if going is None else str(going.samples)


def charts(records: Sequence[NamedRecord]) -> list[Markup]:
    """Return for each thread count decoding and prefill, in tokens/s by context."""
    kinds: dict[str, Callable[[Sequence[ThreadRun]], list[Point]]] = {"Decoding": decode_points, "Prefill": points}
    found: list[Markup] = []
    counts = sorted({run.threads for record in records for run in record.record.runs})
    for threads in counts:
        for title, read in kinds.items():
            series = [one for record in records if (one := _series(record, threads, read)) is not None]
            if series:
                ticks = sorted({at for one in series for at, _ in one.points})
                x = Axis("tokens of the prompt", log=True, ticks=ticks)
                y = Axis("tokens/s", better="high")
                found.append(line_chart(f"{title} on {counted(threads, 'thread')}", series, x=x, y=y,
                                        band_name="p90 to p50"))  # fmt: skip
    return found


def _series(named: NamedRecord, threads: int, read: Callable[[Sequence[ThreadRun]], list[Point]]) -> Series | None:
    own = [point for point in read(named.record.runs) if point.threads == threads]
    if not own:
        return None
    line = [(float(point.tokens), speeds(point)[0]) for point in own]
    slower = [point.results[0].tokens * 1e9 / point.middle(90) for point in own]
    return Series(named.name, line, [(low, rate) for low, (_, rate) in zip(slower, line, strict=True)])
