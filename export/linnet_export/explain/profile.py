"""Section of `linnet explain` about the time profile of an inference."""

from __future__ import annotations

from collections.abc import Sequence

from linnet.cli.console import counted
from linnet_bench.html import Axis, Bar, Content, bar_chart, element, table
from linnet_bench.html.figures import percent, significant
from linnet_bench.record.profile import DELEGATED, EXECUTOR, OUTSIDE, SET_UP, LengthProfile, Row, delegate_of
from linnet_bench.record.profile_table import step_text
from linnet_bench.record.table import method_of
from linnet_export.explain.latency import Latency
from linnet_export.explain.sections import missing

__all__ = ["outside_shares", "shown_profile", "time_spent"]

_USUAL = 128  # largest length in tokens of the profile that is shown in full
_SHOWN = 12
_DELEGATES = {"XNNPACK": "XNNPACK", "linnet": "linnet's delegate"}
_KINDS = {
    DELEGATED: "inside of delegates",
    SET_UP: "calling delegates",
    OUTSIDE: "operators outside",
    EXECUTOR: "ExecuTorch's executor",
}


def shown_profile(latency: Latency) -> tuple[int, str, LengthProfile] | None:
    """Return the number of threads, the method and the profile to show in full, or None if there is no profile.

    It is of the first number of threads that has profiles, and of the longest length up to 128 tokens, or the shortest
    length if all are longer.
    """
    for run in latency.record.runs if latency.record is not None else ():
        if run.profiles:
            below = [profile for profile in run.profiles if profile.tokens <= _USUAL]
            return run.threads, method_of(run) or "forward", (below or list(run.profiles))[-1 if below else 0]
    return None


def outside_shares(profile: LengthProfile) -> dict[str, float]:
    """Return the share of the time of each operator outside of delegates, by the name that the exporter uses."""
    shares: dict[str, float] = {}
    for row in profile.operators:
        if row.kind == OUTSIDE:
            name = row.name.rpartition("::")[2].partition(".")[0]
            shares[name] = shares.get(name, 0.0) + row.share
    return shares


def time_spent(latency: Latency) -> list[Content]:
    """Return the section about shares of the time: by operator at one length, and inside and outside by length."""
    shown = shown_profile(latency)
    if shown is None:
        return [missing("Where the time goes", latency.missing or "nothing was profiled.")]
    threads, method, profile = shown
    where = f"{method}, {step_text(profile)}, {counted(threads, 'thread')}"
    bars = [
        Bar(row.name, [row.share * 100], f"{_place(row)}, {counted(row.calls, 'call')}") for row in profile.operators
    ]
    chart = bar_chart(
        f"Share of the time by operator, {where}",
        bars[:_SHOWN],
        axis=Axis("share", "%"),
        written=lambda value: percent(value / 100),
        listed=False,
    )
    text = (
        "Timed by ExecuTorch's event tracer and the delegates' own profilers; equal operators stand together. "
        "linnet bench --profile has every operator and every percentile."
    )
    return [element("p", text), chart, _operators(profile.operators, where), _by_length(latency)]


def _place(row: Row) -> str:
    return f"inside of {_DELEGATES[delegate_of(row.name)]}" if row.kind == DELEGATED else _KINDS[row.kind]


def _operators(rows: Sequence[Row], where: str) -> Content:
    cells: list[list[Content]] = [
        [row.name, _place(row), str(row.calls), percent(row.share), significant(row.mean_ns / 1e3)] for row in rows
    ]
    headers: list[Content] = ["operator", "where", "calls", "share", "mean µs"]
    listed = table(headers, cells, caption=f"Time by operator, {where}", right=(2, 3, 4), unbroken=(1,))
    return element("details", element("summary", "All operators as a table"), listed)


def _by_length(latency: Latency) -> Content:
    runs = latency.record.runs if latency.record is not None else ()
    rows: list[list[Content]] = []
    for run in runs:
        for profile in run.profiles:
            shares = [sum(row.share for row in profile.places if row.kind == kind) for kind in _KINDS]
            tokens = f"{profile.step} {profile.tokens}".strip()
            rows.append([tokens, str(run.threads), *map(percent, shares)])
    return table(["tokens", "threads", *_KINDS.values()], rows, caption="Share of the time by length", right=range(6))
