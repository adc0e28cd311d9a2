"""Profile tables for the terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from linnet.cli.console import Console, counted
from linnet_bench.record.profile import DECODE, DELEGATED, OUTSIDE, PREFILL, SET_UP, LengthProfile, Row, delegate_of

__all__ = ["show_profile", "step_text"]

_HEADERS = ("operator", "where", "calls", "share", "mean µs", "p50 µs", "p90 µs")
_RIGHT = (2, 3, 4, 5, 6)
_SHOWN = 12  # maximum rows of a table; the record has all


def show_profile(profile: LengthProfile, threads: int, method: str, console: Console) -> None:
    """Write one length of a method: equal operators together, then partitions and the operators outside them."""
    console.heading(f"profile of {method}, {step_text(profile)}, {counted(threads, 'thread')}")
    delegates = {row.partition: delegate_of(row.name) for row in profile.places if row.kind == DELEGATED}
    console.table(_HEADERS, [*_rows(profile.operators, delegates)], right=_RIGHT)
    console.line()
    console.table(("instruction", *_HEADERS[1:]), [*_rows(profile.steps, delegates)], right=_RIGHT)
    console.line()
    if any(row.layer for row in profile.layers):
        console.table(("layer", *_HEADERS[2:]), [*_layers(profile.layers)], right=(1, 2, 3, 4, 5))
        console.line()
    for line in _sentences(profile, method):
        console.line(line)


def step_text(profile: LengthProfile) -> str:
    """Return what was profiled, in words."""
    tokens = counted(profile.tokens, "token")
    return {PREFILL: f"prefill of {tokens}", DECODE: f"one token behind {tokens}"}.get(profile.step, tokens)


def _rows(rows: Sequence[Row], delegates: Mapping[int, str]) -> Iterator[Sequence[str]]:
    for row in rows[:_SHOWN]:
        times = (_us(row.mean_ns), _us(row.p50_ns), _us(row.p90_ns))
        yield row.name, _where(row, delegates), str(row.calls), f"{row.share:.1%}", *times
    left = rows[_SHOWN:]
    if left:
        mean = _us(sum(row.mean_ns for row in left))
        calls, share = sum(row.calls for row in left), sum(row.share for row in left)
        yield f"{len(left)} more", "", str(calls), f"{share:.1%}", mean, "", ""


def _layers(rows: Sequence[Row]) -> Iterator[Sequence[str]]:
    for cells in _rows([dataclasses.replace(row, name=row.layer or "(no layer)") for row in rows], {}):
        yield cells[0], *cells[2:]


def _where(row: Row, delegates: Mapping[int, str]) -> str:
    """Return what runs a row: a delegate, by the operators of the row's partition if it has one."""
    if row.kind == DELEGATED:
        return delegates.get(row.partition) or delegate_of(row.name)
    return {SET_UP: delegates.get(row.partition, "delegates"), OUTSIDE: "outside"}.get(row.kind, "")


def _sentences(profile: LengthProfile, method: str) -> Iterator[str]:
    outside = [row for row in profile.places if row.kind == OUTSIDE]
    inside = [row for row in profile.places if row.kind == DELEGATED]
    partitions = {row.partition for row in profile.places if row.partition}
    share = sum(row.share for row in outside)
    together = [row for row in profile.operators if row.kind == OUTSIDE]
    largest = max(together, key=lambda row: row.share, default=None)
    most = f", above all {largest.name} ({largest.share:.1%})" if largest is not None and share > 0 else ""
    yield f"outside of delegates: {counted(len(outside), 'operator')}, {share:.1%} of the time{most}"
    exact = "exact" if profile.resolution_ns == 1 else "in whole microseconds, rounded down: the rest counts as set-up"
    yield (
        f"inside: {counted(len(inside), 'operator')} in {counted(len(partitions), 'partition')}, "
        f"timed by their own profiler, {exact}; all else by ExecuTorch's event tracer"
    )
    now, before = profile.forward.p50_ns, profile.unprofiled_p50_ns
    yield (
        f"p50 of {method}: {now / 1e6:.3f} ms profiled ({profile.forward.samples} inferences), "
        f"{before / 1e6:.3f} ms without: profiling takes {now / before - 1:+.1%}"
    )


def _us(nanoseconds: float) -> str:
    return f"{nanoseconds / 1e3:.1f}"
