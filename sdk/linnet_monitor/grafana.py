"""Dashboard of Grafana with a panel for each metric of the table."""

from __future__ import annotations

from typing import Any

from linnet.monitoring.table import METRICS, Metric

__all__ = ["dashboard", "queries"]

_UNITS = {"seconds": "s", "bytes": "bytes", "celsius": "celsius", "ratio": "percentunit"}
_ROWS = {
    "Service": (
        "requests",
        "refusals",
        "request",
        "requests_in_flight",
        "queue_length",
        "queue_wait",
        "batch_size",
        "masked",
    ),
    "Models": (
        "inferences",
        "errors",
        "latency",
        "tokens",
        "text_length",
        "truncated",
        "unknown_tokens",
        "unknown_share",
    ),
    "Answers": ("labels", "confidence", "margin", "out_of_scope"),
    "Generation": ("time_to_first_token", "time_per_token", "completions"),
    "Drift and alerts": ("drift", "drift_detected", "alerts_firing", "self_test"),
    "Machine": ("memory", "temperature", "throttled", "throttles", "start_time", "export_failures", "dropped"),
}
_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 24
_SELECTED = 'job="$job"'


def queries(metric: Metric) -> list[tuple[str, str]]:
    """Return the PromQL of a metric's panel with the legend of each: rates, quantiles, values."""
    labels = [label for label in metric.labels if label != "length"]
    legend = " ".join(f"{{{{{label}}}}}" for label in labels) or "{{instance}}"
    by = ", ".join(labels or ["instance"])
    if metric.kind == "counter":
        return [(f"sum by ({by}) (rate({metric.exposed}{{{_SELECTED}}}[$__rate_interval]))", legend)]
    if metric.kind == "gauge":
        if metric.name == "start_time":
            return [(f"time() - {metric.exposed}{{{_SELECTED}}}", "{{instance}}")]
        return [(f"{'min' if metric.merge == 'min' else 'max'} by ({by}) ({metric.exposed}{{{_SELECTED}}})", legend)]
    rate = f"sum by (le, {by}) (rate({metric.exposed}_bucket{{{_SELECTED}}}[$__rate_interval]))"
    return [(f"histogram_quantile({share}, {rate})", f"p{share[2:]} {legend}") for share in ("0.5", "0.99")]


def dashboard() -> dict[str, Any]:
    """Return the dashboard as an object that :func:`json.dumps` writes."""
    by_name = {metric.name: metric for metric in METRICS}
    panels: list[dict[str, Any]] = []
    top = 0
    for title, names in _ROWS.items():
        place = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
        panels.append(
            {"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}
        )
        top += 1
        for number, name in enumerate(names):
            column, line = number % (_COLUMNS // _WIDTH), number // (_COLUMNS // _WIDTH)
            place = {"x": column * _WIDTH, "y": top + line * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
            panels.append(_panel(by_name[name], len(panels) + 1, place))
        top += _HEIGHT * -(-len(names) // (_COLUMNS // _WIDTH))
    return {
        "title": "linnet", "uid": "linnet", "schemaVersion": 39, "editable": True, "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"}, "tags": ["linnet"], "annotations": {"list": []},
        "templating": {"list": [_source(), _job()]}, "panels": panels,
    }  # fmt: skip


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _job() -> dict[str, Any]:
    query = "label_values(linnet_start_time_seconds, job)"
    return {
        "name": "job",
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": query,
        "refresh": 1,
    }


def _panel(metric: Metric, number: int, place: dict[str, int]) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    targets = [
        {"refId": chr(ord("A") + index), "expr": expr, "legendFormat": legend, "datasource": source}
        for index, (expr, legend) in enumerate(queries(metric))
    ]
    unit = "ops" if metric.kind == "counter" else _UNITS.get(metric.unit, "short")
    title = metric.name.replace("_", " ") + (" per second" if metric.kind == "counter" else "")
    return {
        "id": number, "type": "timeseries", "title": title, "description": metric.help, "gridPos": place,
        "datasource": source, "targets": targets, "options": {"legend": {"displayMode": "list"}},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
    }  # fmt: skip
