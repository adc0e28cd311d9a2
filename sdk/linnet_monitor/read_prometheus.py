"""Reader of Prometheus text: the metrics of linnet as a snapshot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.monitoring.snapshot import FORMAT, VERSION, check_snapshot
from linnet.monitoring.table import BY_NAME, METRICS, Metric

__all__ = ["read_prometheus"]

_LINE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)(?: -?\d+)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)",?')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def read_prometheus(text: str, *, time: float = 0.0) -> dict[str, Any]:
    """Read the metrics of linnet from Prometheus text; those of other programs are left out.

    Args:
        text: what ``/metrics`` of a server answered.
        time: when, in seconds since 1970.

    Raises:
        InvalidArgumentError: a line of a metric of linnet has another form.
    """
    names = {metric.exposed: metric for metric in METRICS}
    values: dict[str, dict[tuple[tuple[str, str], ...], dict[str, Any]]] = {}
    for line in text.splitlines():
        if not line.startswith("linnet_"):
            continue
        if (found := _LINE.fullmatch(line.rstrip())) is None:
            raise InvalidArgumentError(f"expected a line of Prometheus text, got {line!r:.80}")
        metric, part = _split(found[1], names)
        if metric is None:
            continue
        labels = {label: _unescaped(value) for label, value in _LABEL.findall(found[2] or "")}
        bound = labels.pop("le", "")
        series = values.setdefault(metric.name, {}).setdefault(tuple(sorted(labels.items())), {"labels": labels})
        series[f"le {bound}" if bound else part] = _number(found[3])
    started = next(iter(values.get("start_time", {}).values()), {"value": 0.0})["value"]
    metrics = {name: [_series(BY_NAME[name], one) for one in all.values()] for name, all in values.items()}
    return check_snapshot(
        {"format": FORMAT, "version": VERSION, "time": time, "started": started, "sources": 1, "metrics": metrics}
    )


def _split(name: str, names: Mapping[str, Metric]) -> tuple[Metric | None, str]:
    """Return the metric of a line, and which of its numbers the line has."""
    if name in names:
        return names[name], "value"
    base, _, part = name.rpartition("_")
    metric = names.get(base)
    return (metric, part) if metric and metric.kind == "histogram" else (None, "")


def _series(metric: Metric, read: Mapping[str, Any]) -> dict[str, Any]:
    if metric.kind != "histogram":
        return {"labels": read["labels"], "value": read.get("value")}
    names = [f"le {bound}" for bound in (*metric.buckets, "+Inf")]
    if not read.keys() >= set(names):
        raise InvalidArgumentError(f"expected the buckets of {metric.exposed} as this linnet has them, got others")
    totals = [float(read[name]) for name in names]
    counts = [total - before for before, total in zip([0, *totals[:-1]], totals, strict=True)]
    return {"labels": read["labels"], "sum": read.get("sum"), "buckets": counts}


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InvalidArgumentError(f"expected a number in Prometheus text, got {text!r:.40}") from None
    return int(value) if value.is_integer() else value


def _unescaped(text: str) -> str:
    return re.sub(r'\\[\\"n]', lambda found: _ESCAPES[found[0]], text)
