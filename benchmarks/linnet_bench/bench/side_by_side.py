"""Results of devices for the terminal: one device in full, several devices in one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from linnet.cli.console import Console
from linnet_bench.machine.state import busy_note
from linnet_bench.record.preset import Point, decode_points, points
from linnet_bench.record.record import Record, to_json
from linnet_bench.record.statistics import median
from linnet_bench.record.table import method_of, methods, show_record
from linnet_bench.remote.outcome import Outcome

__all__ = ["print_json", "show_outcomes", "show_troubles"]

_NOTHING = "-"


def show_outcomes(outcomes: Sequence[Outcome], console: Console) -> None:
    """Write the results, then the failures."""
    records = [(outcome.address.name, outcome.record) for outcome in outcomes if outcome.record is not None]
    if len(records) == 1:
        console.fields([("device", records[0][0])])
        show_record(records[0][1], console)
    elif records:
        _show_together(records, console)
    show_troubles(outcomes, console)


def print_json(outcomes: Sequence[Outcome]) -> None:
    """Print the record of one device as an object, those of several as a list; see :func:`show_troubles`."""
    texts = [to_json(outcome.record).rstrip("\n") for outcome in outcomes if outcome.record is not None]
    print(f"[{', '.join(texts)}]" if len(outcomes) > 1 else "".join(texts))


def show_troubles(outcomes: Sequence[Outcome], console: Console) -> None:
    """Write the notes of devices, and of several devices the failures."""
    troubles = list(_troubles(outcomes))
    notes = [f"{outcome.address.name}: {note}" for outcome in outcomes for note in outcome.notes]
    troubles = notes + (troubles if len(outcomes) > 1 else [])
    if troubles:
        console.line()
        for line in troubles:
            console.line(line)


def _show_together(records: Sequence[tuple[str, Record]], console: Console) -> None:
    file = records[0][1].file
    console.fields([("file", f"{file.name}, {file.size / 1e6:.1f} MB, SHA-256 {file.sha256[:16]}…")])
    names = [name for name, _ in records]
    for name, record in records:
        console.heading(name)
        console.fields(list(_facts(record)))
    ran = methods(method_of(run) for _, record in records for run in record.runs)
    console.heading(f"latency of {ran}, p50 / p90 in ms")
    right = range(2 + len(names))
    console.table(("threads", "tokens", *names), list(_latencies([record for _, record in records])), right=right)
    if any(run.answer for _, record in records for run in record.runs):
        console.line("text: from a text to its answer, tokenizer and decoding included")
    behind = [{(point.threads, point.tokens): point for point in decode_points(record.runs)} for _, record in records]
    if any(behind):
        console.heading("one token of a decoder behind a prompt, p50 / p90 in ms")
        places = sorted({place for points_ in behind for place in points_})
        cells = [[str(threads), str(tokens), *(_cell(points_.get((threads, tokens))) for points_ in behind)]
                 for threads, tokens in places]  # fmt: skip
        console.table(("threads", "behind", *names), cells, right=right)
    console.heading("start and memory")
    console.table(("", *names), list(_costs([record for _, record in records])), right=range(1, 1 + len(names)))


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    machine = record.environment
    features = " ".join(machine.cpu_features) or "no features known"
    yield "machine", ", ".join(filter(None, (machine.board, machine.cpu, machine.architecture, machine.os)))
    yield "cpus", f"{len(machine.affinity)} of {machine.cpus} usable, {features}"
    yield "governor", ", ".join(machine.governors) or "not told by this system"
    versions = machine.versions
    yield "versions", f"linnet {versions.linnet}, ExecuTorch {versions.executorch}, {versions.python}"
    yield "answers", _verdict(record)
    if machine.emulated:
        yield "EMULATED", f"times mean nothing: {machine.emulated}"
    busy = busy_note(record.runs[0].before, len(machine.affinity)) if record.runs else ""
    if busy:
        yield "busy", busy


def _verdict(record: Record) -> str:
    if record.wrong:
        return "WRONG: no latency is reported"
    failed = [run.error for run in record.runs if run.error]
    if failed:
        return f"failed: {failed[0]}"
    checks = [run.check for run in record.runs]
    if not checks or not all(check.cases for check in checks):
        return checks[0].message if checks else "not checked"
    right = f"{checks[0].cases} golden cases right"
    return right if all(check.after for check in checks) else f"{right} before the clock ran"


def _latencies(records: Sequence[Record]) -> Iterator[Sequence[str]]:
    columns = [_by_place(record) for record in records]
    places = sorted({place for column in columns for place in column})
    for threads, tokens in places:
        cells = [_cell(column.get((threads, tokens))) for column in columns]
        yield (str(threads), "text" if tokens == _TEXT else str(tokens), *cells)


_TEXT = 1 << 30  # sorts after every length


def _by_place(record: Record) -> dict[tuple[int, int], Point]:
    """Return the results by thread count and length, repeats together; answers to a text sort after the lengths."""
    by_place = {(point.threads, point.tokens): point for point in points(record.runs)}
    for run in record.runs:
        if run.answer is not None:
            results = tuple(repeat.answer for repeat in record.runs if repeat.threads == run.threads and repeat.answer)
            by_place[run.threads, _TEXT] = Point(threads=run.threads, tokens=_TEXT, results=results)
    return by_place


def _cell(point: Point | None) -> str:
    """Return p50 / p90 in milliseconds, the median over the repeats."""
    return _NOTHING if point is None else f"{_ms(point.middle(50))} / {_ms(point.middle(90))}"


def _costs(records: Sequence[Record]) -> Iterator[Sequence[str]]:
    colds = [record.cold_start for record in records]
    if any(colds):
        yield "cold start, ms", *(_NOTHING if cold is None else _ms(median(cold.answer_ns)) for cold in colds)
        yield (
            "  Python that imports numpy, ms",
            *(_NOTHING if cold is None else _ms(median(cold.numpy_ns)) for cold in colds),
        )
    loads = [next((run.load_ns for run in record.runs if run.load_ns is not None), None) for record in records]
    yield "load, ms", *(_NOTHING if load is None else _ms(load) for load in loads)
    peaks = [max((run.peak_memory or 0 for run in record.runs), default=0) for record in records]
    yield "peak memory, MB", *(f"{peak / 1e6:.1f}" if peak else _NOTHING for peak in peaks)


def _troubles(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        kept = "" if outcome.record is None else "; what had been finished is shown and marked as partial"
        if outcome.failure is not None:
            yield f"{outcome.address.name}: {outcome.failure}{kept}"
        elif outcome.interrupted or (outcome.record is not None and outcome.record.partial):
            yield f"{outcome.address.name}: interrupted{kept}"


def _ms(nanoseconds: float) -> str:
    value = nanoseconds / 1e6
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.1f}"
