"""Prometheus text of a snapshot, exposition format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from linnet.monitoring.snapshot import check_snapshot
from linnet.monitoring.table import METRICS, Metric

__all__ = ["CONTENT_TYPE", "prometheus"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def prometheus(snapshot: Mapping[str, Any]) -> str:
    """Write a snapshot as Prometheus text.

    Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/, "Text-based format".

    Raises:
        InvalidArgumentError: it is no snapshot.
    """
    checked = check_snapshot(snapshot)
    return "".join(f"{line}\n" for metric in METRICS for line in _lines(metric, checked["metrics"].get(metric.name)))


def _lines(metric: Metric, series: list[dict[str, Any]] | None) -> Iterator[str]:
    if not series:
        return
    name = metric.exposed
    yield f"# HELP {name} {metric.help}"
    yield f"# TYPE {name} {metric.kind}"
    for one in series:
        labels = [f'{label}="{_escaped(value)}"' for label, value in one["labels"].items()]
        if metric.kind != "histogram":
            yield f"{name}{_braces(labels)} {one['value']}"
            continue
        total = 0
        for bound, count in zip((*metric.buckets, "+Inf"), one["buckets"], strict=True):
            total += count
            bound_label = f'le="{bound}"'
            yield f"{name}_bucket{_braces([*labels, bound_label])} {total}"
        yield f"{name}_sum{_braces(labels)} {one['sum']}"
        yield f"{name}_count{_braces(labels)} {total}"


def _braces(labels: list[str]) -> str:
    return f"{{{','.join(labels)}}}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
