"""Table rows of a report page: plain texts, so that the same rows can be copied as Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from linnet.cli.console import counted
from linnet_bench.arguments import spans
from linnet_bench.html.figures import bytes_text, percent, significant
from linnet_bench.machine.state import throttle_notes
from linnet_bench.record.preset import HEADLINE, OFFICIAL, Point, points, shortcomings
from linnet_bench.record.record import Record, State, ThreadRun
from linnet_bench.record.statistics import median
from linnet_bench.report.names import NamedRecord, device_name

__all__ = [
    "Rows",
    "answers",
    "best_point",
    "costs",
    "latencies",
    "machines",
    "method_text",
    "peak_memory",
    "profile_rows",
    "repeat",
    "short",
    "speed_length",
]

_SPEED_AT = 128  # tokens; speed is measured at this length, or at the nearest one that all records have


@dataclasses.dataclass(frozen=True)
class Rows:
    """A table.

    Attributes:
        headers: one for each column.
        rows: texts of the cells.
        numbers: indices of the columns of numbers.
    """

    headers: tuple[str, ...]
    rows: list[list[str]]
    numbers: tuple[int, ...]


def speed_length(records: Sequence[NamedRecord]) -> int | None:
    """Return the length nearest to 128 tokens that every record with latencies has; None if there is none.

    Emulated records are ignored if there are others.
    """
    real = [record for record in records if not record.emulated] or records
    sets = [{point.tokens for point in points(record.record.runs)} for record in real]
    common = set.intersection(*(lengths for lengths in sets if lengths)) if any(sets) else set()
    return min(common, key=lambda tokens: (abs(tokens - _SPEED_AT), tokens), default=None)


def best_point(record: Record, tokens: int | None) -> Point | None:
    """Return a record's fastest thread count at one length by its headline; None if it was not measured."""
    candidates = [point for point in points(record.runs) if point.tokens == tokens]
    return min(candidates, key=lambda point: point.middle(HEADLINE), default=None)


def short(records: Sequence[NamedRecord]) -> Rows:
    """Return the summary: one row for each record, at a length that all have, or else each at its own length."""
    tokens = speed_length(records)
    speed = f"p{HEADLINE} ms" if tokens is None else f"p{HEADLINE} ms, {counted(tokens, 'token')}"
    headers = ["record", "device", "file", "recipe", "tokens", speed, "threads", "cold ms", "peak MB", "answers",
               "method"]  # fmt: skip
    rows = [[*_short(record, tokens)] for record in records]
    if tokens is not None:
        headers, rows = [*headers[:4], *headers[5:]], [[*row[:4], *row[5:]] for row in rows]
    if all(row[1] == row[0] for row in rows):
        headers, rows = [headers[0], *headers[2:]], [[row[0], *row[2:]] for row in rows]
    numbers = ("tokens", speed, "threads", "cold ms", "peak MB")
    return Rows(tuple(headers), rows, tuple(index for index, name in enumerate(headers) if name in numbers))


def _short(named: NamedRecord, tokens: int | None) -> Iterator[str]:
    record = named.record
    own = speed_length([named]) if tokens is None else tokens
    point = best_point(record, own)
    yield named.name
    yield device_name(record)
    yield record.file.name
    yield record.file.recipe
    yield "" if point is None else str(point.tokens)
    yield "" if point is None else significant(point.middle(HEADLINE) / 1e6)
    yield "" if point is None else str(point.threads)
    yield "" if record.cold_start is None else significant(median(record.cold_start.answer_ns) / 1e6)
    peak = peak_memory(record)
    yield "" if peak is None else significant(peak / 1e6)
    yield answers(record)
    yield method_text(record)


def peak_memory(record: Record) -> int | None:
    """Return the largest peak memory of all runs in bytes."""
    return max((run.peak_memory for run in record.runs if run.peak_memory is not None), default=None)


def answers(record: Record) -> str:
    """Return whether the answers were right, in a word or two."""
    if record.wrong:
        return "WRONG"
    cases = max((run.check.cases for run in record.runs), default=0)
    return "right" if cases else "not checked"


def method_text(record: Record) -> str:
    """Return the preset, its repeats, and what is missing."""
    settings = record.settings
    text = settings.method if settings.repeats == 1 else f"{settings.method} × {settings.repeats}"
    if record.partial:
        text += ", ended early"
    if settings.method == OFFICIAL.name and any(True for _ in shortcomings(record)):
        text += ", NOT fulfilled"
    return text


def latencies(records: Sequence[NamedRecord]) -> Rows:
    """Return percentiles by record, thread count and length; medians over the repeats."""
    headers = (
        "record",
        "threads",
        "tokens",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "spread of p90",
        "tokens/s",
        "mJ",
        "samples",
    )
    rows = []
    for record in records:
        for point in points(record.record.runs):
            times = [significant(point.middle(q) / 1e6) for q in (50, 90, 99)]
            spread = percent(point.spread(HEADLINE)) if len(point.results) > 1 else ""
            speed = significant(point.tokens * 1e9 / point.middle(50))
            energy = "" if point.energy_j is None else significant(point.energy_j * 1e3)
            counts = [str(point.threads), str(point.tokens)]
            rows.append([record.name, *counts, *times, spread, speed, energy, str(point.samples)])
    used = [column for column in range(len(headers)) if column < 6 or any(row[column] for row in rows)]
    return Rows(
        tuple(headers[column] for column in used),
        [[row[column] for column in used] for row in rows],
        tuple(range(1, len(used))),
    )


def costs(records: Sequence[NamedRecord]) -> Rows:
    """Return cold start and memory."""
    headers = ("record", "file", "bare interpreter ms", "with numpy ms", "first answer ms", "import ms", "load ms",
               "answer ms", "cold peak MB", "peak MB after all lengths")  # fmt: skip
    rows = []
    for record in records:
        cold, peak = record.record.cold_start, peak_memory(record.record)
        parts = [] if cold is None else [cold.bare_ns, cold.numpy_ns, cold.answer_ns, cold.import_ns, cold.load_ns,
                                         cold.first_answer_ns]  # fmt: skip
        times = [significant(median(part) / 1e6) for part in parts] or [""] * 6
        memory = ["" if value is None else significant(value / 1e6)
                  for value in (None if cold is None else cold.answer_memory, peak)]  # fmt: skip
        rows.append([record.name, bytes_text(record.record.file.size), *times, *memory])
    return Rows(headers, rows, tuple(range(1, len(headers))))


def machines(records: Sequence[NamedRecord]) -> Rows:
    """Return the machines' properties, a column for each record; properties that no record has are left out."""
    columns = [dict(_machine(record.record)) for record in records]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [[name, *(column.get(name, "") for column in columns)] for name in names]
    return Rows(("", *(record.name for record in records)), [row for row in rows if any(row[1:])], ())


def _machine(record: Record) -> Iterator[tuple[str, str]]:
    machine = record.environment
    facts = {
        "device": machine.board,
        "chip": machine.soc,
        "processor": machine.cpu,
        "EMULATED": machine.emulated,
        "architecture": machine.architecture,
        "features": " ".join(machine.cpu_features),
        "virtual machine": {True: "yes", False: "no", None: ""}[machine.virtual],
        "CPUs": f"{spans(machine.affinity)} usable of {machine.cpus}",
        "cores": _cores(record),
        "governor": ", ".join(machine.governors),
        "memory": "" if machine.memory_bytes is None else bytes_text(machine.memory_bytes),
        "system": machine.os,
        "kernels": "; ".join(_kernels(record)),
    }
    yield from ((name, value or "") for name, value in facts.items())
    for run in record.runs:
        yield f"state, {_run_name(record, run)}", _states(run)
    notes = dict.fromkeys(note for run in record.runs for note in throttle_notes(run.before, run.after))
    if notes:
        yield "slowed down", "; ".join(notes)


def _cores(record: Record) -> str:
    groups = record.environment.cores
    texts = []
    for group in groups:
        speed = "" if group.max_mhz is None else f" to {group.max_mhz:.0f} MHz"
        texts.append(f"{len(group.cpus)} × {group.name or 'unknown'}{speed} (CPU {spans(group.cpus)})")
    return ", ".join(texts)


def _kernels(record: Record) -> list[str]:
    known = [run.kernels for run in record.runs if run.kernels is not None]
    texts = (f"{kernels.method or 'forward'}; attention: {kernels.attention or 'unknown'}" for kernels in known)
    return [*dict.fromkeys(texts)]


def _run_name(record: Record, run: ThreadRun) -> str:
    turn = f", repeat {run.repeat + 1}" if record.settings.repeats > 1 else ""
    return f"{counted(run.threads, 'thread')}{turn}"


def _states(run: ThreadRun) -> str:
    after = "" if run.after is None else f" → {_state(run.after)}"
    return f"{_state(run.before)}{after}"


def _state(state: State) -> str:
    parts = [f"load {state.load_average[0]:.2f}"] if state.load_average else []
    if state.frequency_mhz:
        parts.append(f"{max(state.frequency_mhz):.0f} MHz")
    if state.temperature_c is not None:
        parts.append(f"{state.temperature_c:.0f} °C")
    return ", ".join(parts) or "not told"


def repeat(records: Sequence[NamedRecord]) -> Rows:
    """Return what is needed to repeat the measurement: files, hashes and versions."""
    headers = ("record", "measured", "file", "SHA-256", "model", "linnet", "ExecuTorch", "Python", "numpy", "schema")
    rows = []
    for named in records:
        record, versions = named.record, named.record.environment.versions
        model = f"{record.file.source or 'unknown'} {record.file.source_commit}".strip()
        told = [versions.linnet or "", versions.executorch or "", versions.python, versions.numpy or ""]
        rows.append([named.name, record.created, record.file.name, record.file.sha256, model, *told,
                     record.schema_version])  # fmt: skip
    return Rows(headers, rows, ())


def profile_rows(record: Record) -> Rows:
    """Return the operators of every profile, equal ones together."""
    headers = ("threads", "step", "tokens", "operator", "where", "calls", "share", "mean µs")
    rows = [
        [str(run.threads), profile.step, str(profile.tokens), row.name, row.kind, str(row.calls), percent(row.share),
         significant(row.mean_ns / 1e3)]
        for run in record.runs for profile in run.profiles for row in profile.operators
    ]  # fmt: skip
    if any(row[1] for row in rows):
        return Rows(headers, rows, (0, 2, 5, 6, 7))
    return Rows((headers[0], *headers[2:]), [[row[0], *row[2:]] for row in rows], (0, 1, 4, 5, 6))
