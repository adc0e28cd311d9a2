"""Snapshots of metrics: their form checked, those of many processes and devices added, quantiles of histograms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.monitoring.table import BY_NAME, LABELS, OTHER, REGISTERED, Metric

__all__ = ["FORMAT", "VERSION", "check_snapshot", "merge", "quantile", "select"]

FORMAT = "linnet-metrics"
VERSION = 1

_JOINED: Mapping[str, Callable[[float, float], float]] = {
    "sum": lambda one, other: one + other, "max": max, "min": min, "last": lambda _, newest: newest,
}  # fmt: skip
_MOST_SERIES = 100_000
_MOST_LABEL_LENGTH = 80


def check_snapshot(data: object, name: str = "the snapshot") -> dict[str, Any]:
    """Return a snapshot that was read, with what this version does not know left out.

    Metrics that are not in the table are left out; a value of a label that is not in its list becomes "other".

    Args:
        data: parsed JSON.
        name: where it comes from, for error messages.

    Raises:
        InvalidArgumentError: it is no snapshot of a version that can be read, or a number is not one.
    """
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise InvalidArgumentError(f'{name}: expected a JSON object with "format": "{FORMAT}", got something else')
    if data.get("version") != VERSION:
        raise InvalidArgumentError(f"{name}: expected version {VERSION}, got {data.get('version')!r}; update linnet")
    metrics = data.get("metrics")
    if not isinstance(metrics, Mapping) or not all(isinstance(series, list) for series in metrics.values()):
        raise InvalidArgumentError(f'{name}: expected "metrics" with lists of series, got another form')
    if sum(map(len, metrics.values())) > _MOST_SERIES:
        raise InvalidArgumentError(f"{name}: expected at most {_MOST_SERIES} series, got more")
    return {
        "format": FORMAT, "version": VERSION,
        **{field: _number(data.get(field, 0), name) for field in ("time", "started")},
        "sources": int(_number(data.get("sources", 1), name)),
        "metrics": {
            metric: [_checked(BY_NAME[metric], series, name) for series in metrics[metric]]
            for metric in metrics if metric in BY_NAME
        },
    }  # fmt: skip


def _checked(metric: Metric, series: object, name: str) -> dict[str, Any]:
    labels = series.get("labels") if isinstance(series, Mapping) else None
    if not isinstance(series, Mapping) or not isinstance(labels, Mapping):
        raise InvalidArgumentError(f"{name}: expected series of {metric.name} with labels, got another form")
    kept = {label: _label(label, labels.get(label)) for label in metric.labels}
    if metric.kind != "histogram":
        return {"labels": kept, "value": _number(series.get("value"), name)}
    buckets = series.get("buckets")
    if not isinstance(buckets, list) or len(buckets) != len(metric.buckets) + 1:
        raise InvalidArgumentError(f"{name}: expected {len(metric.buckets) + 1} buckets of {metric.name}")
    counts = [_number(count, name) for count in buckets]
    return {"labels": kept, "count": sum(counts), "sum": _number(series.get("sum"), name), "buckets": counts}


def _label(label: str, value: object) -> str:
    if not isinstance(value, str):
        return OTHER
    if label in REGISTERED:
        return value if len(value) <= _MOST_LABEL_LENGTH and value.isprintable() else OTHER
    return value if value in LABELS[label] else OTHER


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidArgumentError(f"{name}: expected a finite number, got {value!r:.40}")
    return value


def merge(snapshots: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sum of snapshots of several processes or devices: counters and histograms are added.

    Gauges are added, or the largest, smallest or newest is taken, as the table says.

    Raises:
        InvalidArgumentError: there is none, or one is no snapshot.
    """
    checked = sorted((check_snapshot(snapshot) for snapshot in snapshots), key=lambda one: one["time"])
    if not checked:
        raise InvalidArgumentError("expected at least one snapshot, got none")
    metrics: dict[str, list[dict[str, Any]]] = {}
    for name in dict.fromkeys(name for one in checked for name in one["metrics"]):
        sums: dict[tuple[str, ...], dict[str, Any]] = {}
        for series in (series for one in checked for series in one["metrics"].get(name, [])):
            key = tuple(series["labels"].values())
            sums[key] = _added(BY_NAME[name], sums[key], series) if key in sums else series
        metrics[name] = list(sums.values())
    return {
        "format": FORMAT, "version": VERSION,
        "time": checked[-1]["time"], "started": min(one["started"] for one in checked),
        "sources": sum(one["sources"] for one in checked), "metrics": metrics,
    }  # fmt: skip


def _added(metric: Metric, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    if metric.kind == "histogram":
        buckets = [a + b for a, b in zip(one["buckets"], other["buckets"], strict=True)]
        total = {"count": one["count"] + other["count"], "sum": one["sum"] + other["sum"], "buckets": buckets}
        return {"labels": one["labels"], **total}
    how = "sum" if metric.kind == "counter" else metric.merge
    return {"labels": one["labels"], "value": _JOINED[how](one["value"], other["value"])}


def select(snapshot: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the series of a metric that have these labels."""
    series: Sequence[dict[str, Any]] = snapshot["metrics"].get(name, ())
    return [one for one in series if all(one["labels"].get(label) == value for label, value in labels.items())]


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float:
    """Return a quantile of a histogram, linear within its bucket, as Prometheus's ``histogram_quantile`` does.

    It is the last bound if the quantile lies above all bounds, and not a number (NaN) without values.

    Args:
        bounds: upper bounds of the buckets.
        counts: values of each bucket, and last those above all bounds.
        share: from 0 to 1.
    """
    total = sum(counts)
    if not total:
        return math.nan
    rank, below = share * total, 0.0
    for place, bound in enumerate(bounds):
        if below + counts[place] >= rank and counts[place]:
            lower = bounds[place - 1] if place else min(0.0, bound)
            return lower + (bound - lower) * (rank - below) / counts[place]
        below += counts[place]
    return bounds[-1]
