"""Figures of a history as texts for people: models, requests, machine, drift and alerts."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence

from linnet.monitoring.snapshot import quantile, select
from linnet.monitoring.table import BY_NAME
from linnet_monitor.alerts import Alert
from linnet_monitor.history import History

__all__ = ["WINDOW", "Table", "seconds_text", "tables", "value_text"]

WINDOW = 300.0
"""Seconds that rates, shares and quantiles are taken over."""


@dataclasses.dataclass(frozen=True)
class Table:
    """One table: a heading, headers, rows of cells, and the columns to align to the right."""

    heading: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()


def tables(history: History, alerts: Sequence[Alert]) -> list[Table]:
    """Return the tables of a history and its alerts; those without rows are left out."""
    made = [_alerts(alerts)]
    if history.last is not None:
        made += [_models(history), _requests(history), _generation(history), _drift(history), _machine(history)]
    return [table for table in made if table.rows]


def value_text(value: float) -> str:
    """Write a number with three digits; "-" for none."""
    return "-" if math.isnan(value) else f"{value:.3g}"


def seconds_text(seconds: float) -> str:
    """Write a time in the unit that reads best; "-" for none."""
    if math.isnan(seconds):
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def _percent(part: float, whole: float) -> str:
    return "-" if not whole else f"{100 * part / whole:.3g} %"


def _alerts(alerts: Sequence[Alert]) -> Table:
    rank = {"firing": 0, "pending": 1, "resolved": 2, "inactive": 3}
    rows = tuple(
        (alert.state, alert.rule.name, alert.rule.severity, value_text(alert.value), value_text(alert.rule.threshold),
         _clock(alert.since), alert.rule.summary if alert.state != "inactive" else "")
        for alert in sorted(alerts, key=lambda one: rank[one.state])
    )  # fmt: skip
    return Table("Alerts", ("state", "alert", "severity", "value", "threshold", "since", ""), rows, (3, 4))


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)) if moment else "-"


def _names(history: History, metric: str) -> list[str]:
    assert history.last is not None
    return sorted({one["labels"]["model"] for one in select(history.last, metric, {})})


def _models(history: History) -> Table:
    rows = []
    for name in _names(history, "inferences"):
        model = {"model": name}

        def grown(metric: str, labels: Mapping[str, str] = model) -> float:
            return history.increase(metric, labels, WINDOW)[0]

        answers, tokens = grown("inferences"), grown("tokens", {"model": name, "direction": "input"})
        confidence = history.increase("confidence", model, WINDOW)
        running = history.increase("latency", {"model": name, "stage": "run"}, WINDOW)[2:]
        bounds = BY_NAME["latency"].buckets
        rows.append((
            name, f"{answers:.0f}", value_text(answers / max(history.seconds(WINDOW), 1e-9)),
            seconds_text(quantile(bounds, running, 0.5)), seconds_text(quantile(bounds, running, 0.99)),
            _percent(grown("errors"), answers + grown("errors")), _percent(grown("truncated"), answers),
            _percent(grown("unknown_tokens"), tokens),
            value_text(confidence[1] / confidence[0] if confidence[0] else math.nan),
            _percent(grown("out_of_scope"), answers),
        ))  # fmt: skip
    headers = ("model", "answers", "per s", "run p50", "run p99", "errors", "truncated", "unknown", "confidence",
               "out of scope")  # fmt: skip
    return Table("Models, last 5 minutes", headers, tuple(rows), tuple(range(1, len(headers))))


def _requests(history: History) -> Table:
    assert history.last is not None
    rows = []
    series = select(history.last, "requests", {})
    for route in sorted({one["labels"]["route"] for one in series}):
        known = sorted({one["labels"]["status"] for one in series})
        statuses = {
            status: history.increase("requests", {"route": route, "status": status}, WINDOW)[0] for status in known
        }
        total = sum(statuses.values())
        failed = sum(count for status, count in statuses.items() if not status.startswith("2"))
        counts = history.increase("request", {"route": route}, WINDOW)[2:]
        bounds = BY_NAME["request"].buckets
        rows.append((
            route, f"{total:.0f}", value_text(total / max(history.seconds(WINDOW), 1e-9)), _percent(failed, total),
            seconds_text(quantile(bounds, counts, 0.5)), seconds_text(quantile(bounds, counts, 0.99)),
        ))  # fmt: skip
    return Table("Requests, last 5 minutes", ("route", "requests", "per s", "not 2xx", "p50", "p99"), tuple(rows),
                 (1, 2, 3, 4, 5))  # fmt: skip


def _generation(history: History) -> Table:
    rows = []
    for name in _names(history, "time_to_first_token"):
        first, further = (history.increase(metric, {"model": name}, WINDOW)[2:]
                          for metric in ("time_to_first_token", "time_per_token"))  # fmt: skip
        bounds = BY_NAME["time_per_token"].buckets
        written = history.increase("tokens", {"model": name, "direction": "output"}, WINDOW)[0]
        times = [seconds_text(quantile(bounds, counts, share)) for counts in (first, further) for share in (0.5, 0.99)]
        rows.append((name, f"{written:.0f}", *times))
    headers = ("model", "tokens written", "first p50", "first p99", "further p50", "further p99")
    return Table("Generation, last 5 minutes", headers, tuple(rows), (1, 2, 3, 4, 5))


def _drift(history: History) -> Table:
    assert history.last is not None
    rows = []
    for one in select(history.last, "drift_detected", {}):
        labels = {label: one["labels"][label] for label in ("model", "feature")}
        values = []
        for statistic in ("ks", "psi", "p_value"):
            found = select(history.last, "drift", {**labels, "statistic": statistic})
            values.append(value_text(found[0]["value"] if found else math.nan))
        rows.append((*labels.values(), "changed" if one["value"] else "-", *values))
    headers = ("model", "feature", "", "KS distance", "PSI", "p of chi-squared")
    return Table("Drift from the reference", headers, tuple(sorted(rows)), (3, 4, 5))


_MACHINE = {
    "memory": ("MB", 1e6), "temperature": ("°C", 1.0), "throttled": ("", 1.0), "queue_length": ("", 1.0),
    "requests_in_flight": ("", 1.0), "self_test": ("", 1.0),
}  # fmt: skip


def _machine(history: History) -> Table:
    assert history.last is not None
    rows = []
    for name, (unit, scale) in _MACHINE.items():
        for one in select(history.last, name, {}):
            what = " ".join((name.replace("_", " "), *one["labels"].values()))
            rows.append((what, f"{one['value'] / scale:.4g} {unit}".strip()))
    return Table("Machine", ("", "now"), tuple(rows), (1,))
