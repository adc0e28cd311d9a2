"""Benchmark records as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from linnet.cli.console import counted
from linnet.version import version
from linnet_bench.html import Content, Page, element, table
from linnet_bench.html.charts import details
from linnet_bench.machine.state import busy_note
from linnet_bench.record.preset import HEADLINE, OFFICIAL, points, shortcomings
from linnet_bench.record.table import method_of, methods_note
from linnet_bench.report import charts, decoders, tables
from linnet_bench.report.names import NamedRecord
from linnet_bench.report.tables import Rows

__all__ = ["report_page"]


def report_page(records: Sequence[NamedRecord], title: str = "") -> str:
    """Return the page: summary, latency, start and memory, accuracy, operators, machines, how to repeat it.

    Args:
        records: at least one.
        title: title of the page; empty: made from the files' names.
    """
    files = list(dict.fromkeys(record.record.file.name for record in records))
    page = Page(
        title or f"Speed of {', '.join(files)}",
        maker="linnet report",
        subtitle=f"{counted(len(records), 'record')} of linnet bench",
        footer=f"Made by linnet report {version()}. Percentiles: {records[0].record.percentiles}. It leads with "
        f"p{HEADLINE}, linnet regress compares p50; both are medians over the repeats.",
    )
    real = [record for record in records if not record.emulated]
    spoken, answered = decoders.decoders_of(records)
    real_spoken, real_answered = decoders.decoders_of(real)
    short = [_table(of_kind, "One line for each record")
             for of_kind in (tables.short(answered), decoders.short(spoken))]  # fmt: skip
    page.section("In short", _emulated(records), *short, charts.device_chart(real_answered), _lengths(real_answered),
                 _notes(records))  # fmt: skip
    if answered:
        page.section("Latency by length", *charts.latency_charts(real_answered), _nothing_drawn(records, real),
                     _table(tables.latencies(answered), "Latency, token ids in, numpy out"))  # fmt: skip
    if spoken:
        page.section("Prefill and decoding", *decoders.charts(real_spoken), _nothing_drawn(records, real),
                     _table(decoders.figures(spoken), "Prompts, and one token at a time behind each"),
                     element("p", _DECODER_NOTE, class_="note"))  # fmt: skip
    page.section("Cold start and memory", charts.cold_chart(real), charts.memory_chart(real),
                 _table(tables.costs(records), "Fresh processes from start to first answer, medians"))  # fmt: skip
    accuracy = charts.accuracy_chart(real_answered)
    if accuracy is not None:
        page.section("Accuracy and latency", accuracy, element("p", _ACCURACY_NOTE, class_="note"))
    operators = [*_operators(real)]
    if operators:
        page.section("Where the time goes", operators)
    page.section("The machines", _table(tables.machines(records), "What each record says about its machine"))
    page.section("To repeat it", *_repeat(records))
    return page.render()


_ACCURACY_NOTE = "Accuracy is what each file's own proof measured against its original when it was exported."


_DECODER_NOTE = (
    "First token: from the ids of the prompt to the choice of the token. Decoding: the run of one token and the choice "
    "of the next, greedily. Every prompt is another one."
)


def _table(rows: Rows, caption: str) -> Content:
    return table([*rows.headers], rows.rows, caption=caption, right=rows.numbers) if rows.rows else None


def _emulated(records: Sequence[NamedRecord]) -> Content:
    emulated = [record for record in records if record.emulated]
    if not emulated:
        return None
    why = "; ".join(f"{record.name}: {record.record.environment.emulated}" for record in emulated)
    return element(
        "p",
        element(
            "strong",
            "Emulated: the times of ",
            ", ".join(record.name for record in emulated),
            " mean nothing.",
            class_="bad",
        ),
        f" They say how fast an emulator is, no device; so they stand in tables only and in no chart. ({why})",
        class_="missing",
    )


def _nothing_drawn(records: Sequence[NamedRecord], real: Sequence[NamedRecord]) -> Content:
    if real:
        return None
    count = "The record was" if len(records) == 1 else "All records were"
    return element("p", f"{count} made under emulation: there is nothing to draw.", class_="missing")


def _lengths(records: Sequence[NamedRecord]) -> Content:
    timed = [record for record in records if points(record.record.runs)]
    if len(timed) < 2 or tables.speed_length(timed) is not None:
        return None
    return element("p", "No length is in all records: each time is of the length beside it, so the times cannot be "
                   "compared. Measure with the same --lengths to compare them.", class_="missing")  # fmt: skip


def _notes(records: Sequence[NamedRecord]) -> Iterator[Content]:
    for note in methods_note(method_of(run) for named in records for run in named.record.runs):
        yield element("p", f"{note}.", class_="note")
    for named in records:
        record = named.record
        busy = busy_note(record.runs[0].before, len(record.environment.affinity)) if record.runs else ""
        if busy:
            yield element("p", f"{named.name}: {busy}", class_="note")
        for run in record.runs:
            if run.check.wrong:
                yield element("p", f"{named.name}: no latency, because the answers are wrong: {run.check.message}",
                              class_="bad")  # fmt: skip
            elif run.error:
                yield element("p", f"{named.name}: no latency, because the run failed: {run.error}", class_="bad")
        if record.partial:
            yield element(
                "p", f"{named.name}: {record.ended_early}; only what had been finished is shown.", class_="note"
            )
        missing = [*shortcomings(record)] if record.settings.method == OFFICIAL.name else []
        if missing:
            yield element(
                "p", f"{named.name}: the official method is not fulfilled: {'; '.join(missing)}.", class_="bad"
            )


def _operators(records: Sequence[NamedRecord]) -> Iterator[Content]:
    for record in records:
        drawn = charts.operator_charts(record)
        if drawn:
            yield from drawn
            rows = _table(tables.profile_rows(record.record), f"{record.name}: operators of every profile")
            yield details(rows, f"Every profile of {record.name}")


def _repeat(records: Sequence[NamedRecord]) -> Iterator[Content]:
    for record in records:
        command = record.record.command
        if command:
            yield element("p", f"{record.name}: ", element("code", command))
    yield _table(tables.repeat(records), "Files by their hash, and versions of what took part")
