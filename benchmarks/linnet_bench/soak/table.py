"""Table of a soak for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from linnet.cli.console import Console, counted
from linnet_bench.machine.environment import busy_note
from linnet_bench.measure.probe import clip_lengths
from linnet_bench.soak.record import Record, Window

__all__ = ["show_record"]

_HEADERS = ("window", "requests", "per second", "p50 ms", "p99 ms", "max ms", "memory MB", "loads", "wrong", "failed")


def show_record(record: Record, console: Console) -> None:
    """Write the requests, every window, and the verdicts."""
    settings, file = record.settings, record.file
    lengths = clip_lengths(settings.lengths, file["max_length"])
    console.fields(
        [
            ("file", f"{file['name']}, {file['size'] / 1e6:.1f} MB, SHA-256 {file['sha256'][:16]}…"),
            ("machine", f"{record.environment.cpu or 'unknown'}, {record.environment.os}"),
            ("requests", f"{counted(record.texts, 'text')} of {', '.join(map(str, lengths))} tokens at most, in random "
             f"order, from {counted(settings.clients, 'thread')} to {counted(settings.sessions, 'session')}"),
        ]
    )  # fmt: skip
    console.heading("windows")
    rows = [_row(number, window) for number, window in enumerate(record.windows)]
    console.table(_HEADERS, rows, right=range(1, len(_HEADERS)))
    console.heading("verdict")
    console.fields(list(_verdicts(record)))
    for problem in record.problems:
        console.line(f"  {problem}")
    note = busy_note(record.before, len(record.environment.affinity))
    if note:
        console.line(note)
    if record.partial:
        console.line()
        console.line("ended early: only the windows that had been finished are shown")


def _row(number: int, window: Window) -> list[str]:
    times = [f"{ns / 1e6:.3f}" for ns in (window.p50_ns, window.p99_ns, window.max_ns)]
    counts = [f"{count:,}" for count in (window.loads, window.wrong, window.failed)]
    rate = window.requests / window.seconds
    name = "warm-up" if number == 0 else str(number)
    return [name, f"{window.requests:,}", f"{rate:,.0f}", *times, f"{window.memory / 1e6:.2f}", *counts]


def _verdicts(record: Record) -> Iterator[tuple[str, str]]:
    held, settings = record.verdicts, record.settings
    sent = sum(window.requests for window in record.windows)
    golden = {True: "reproduced", False: "NOT reproduced", None: "none to repeat"}
    after = "not checked" if record.partial else golden[record.golden_after]
    wrong = sum(window.wrong for window in record.windows)
    failed = sum(window.failed for window in record.windows)
    yield (
        "answers",
        _judged(
            held["answers"],
            f"{wrong:,} of {sent:,} differ from the first answer to their text; golden cases before: "
            f"{golden[record.golden_before]}, after: {after}",
        ),
    )
    yield "requests", _judged(held["requests"], f"{failed:,} failed")
    growth = "not known yet" if record.growth is None else f"{record.growth / 1e6:+.2f} MB after the warm-up"
    yield "memory", _judged(held["memory"], f"{growth}, at most {settings.most_growth / 1e6:g} MB allowed")
    drift = "not known yet" if record.drift is None else f"{record.drift:.2f} times the first half's"
    yield (
        "latency",
        _judged(held["latency"], f"p99 of the second half is {drift}, at most {settings.most_drift:g} allowed"),
    )


def _judged(held: bool, text: str) -> str:
    return f"{'held' if held else 'FAILED'}: {text}"
