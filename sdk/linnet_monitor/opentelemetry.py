"""OpenTelemetry metrics (OTLP over HTTP, JSON): snapshots as requests of a collector, with the names for generative AI.

Every metric goes out as ``linnet.NAME``. Those that the semantic conventions for generative AI name go out by that name
too (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/, status "development"): request durations, time
to the first token, time per further token, input tokens. Source of the JSON form: opentelemetry-proto 1.x,
examples/metrics.json, and https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding, by which 64-bit integers
are strings.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import ssl
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.monitoring.snapshot import check_snapshot
from linnet.monitoring.table import BY_NAME, Metric
from linnet.version import version

__all__ = ["OpenTelemetrySink", "otlp_request"]

_CUMULATIVE = 2
_UNITS = {"seconds": "s", "bytes": "By", "celsius": "Cel", "ratio": "1", "tokens": "{token}", "": "1"}
_OPERATIONS = {"chat": "chat", "completions": "text_completion", "embeddings": "embeddings", "embed": "embeddings"}
_MOST_ANSWER = 1 << 16


def _of_route(labels: Mapping[str, str]) -> dict[str, str] | None:
    operation = _OPERATIONS.get(labels["route"])
    return None if operation is None else {"gen_ai.operation.name": operation}


def _of_decoder(labels: Mapping[str, str]) -> dict[str, str]:
    return {"gen_ai.operation.name": "text_completion", "gen_ai.request.model": labels["model"]}


def _of_input(labels: Mapping[str, str]) -> dict[str, str]:
    # the conventions allow a name of one's own where none of theirs is known to fit
    return {
        "gen_ai.operation.name": "inference", "gen_ai.request.model": labels["model"], "gen_ai.token.type": "input",
    }  # fmt: skip


_GENERATIVE: Mapping[str, tuple[str, Callable[[Mapping[str, str]], dict[str, str] | None]]] = {
    "request": ("gen_ai.server.request.duration", _of_route),
    "time_to_first_token": ("gen_ai.server.time_to_first_token", _of_decoder),
    "time_per_token": ("gen_ai.server.time_per_output_token", _of_decoder),
    "text_length": ("gen_ai.client.token.usage", _of_input),
}


def otlp_request(snapshot: Mapping[str, Any], service: str = "linnet") -> dict[str, Any]:
    """Return an ``ExportMetricsServiceRequest`` in JSON form.

    Args:
        snapshot: of :meth:`linnet.monitoring.Metrics.snapshot`.
        service: value of ``service.name``.

    Raises:
        InvalidArgumentError: it is no snapshot.
    """
    checked = check_snapshot(snapshot)
    times = {name: str(int(checked[field] * 1e9)) for name, field in _TIMES.items()}
    scope = {"scope": {"name": "linnet", "version": version()}, "metrics": list(_metrics(checked["metrics"], times))}
    resource = {"attributes": _attributes({"service.name": service})}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}


_TIMES = {"startTimeUnixNano": "started", "timeUnixNano": "time"}


def _metrics(metrics: Mapping[str, list[dict[str, Any]]], times: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name, series in metrics.items():
        metric = BY_NAME[name]
        yield _metric(metric, f"linnet.{name}", [(one["labels"], one) for one in series], times)
        if name not in _GENERATIVE:
            continue
        theirs, attributes_of = _GENERATIVE[name]
        points = [(attributes_of(one["labels"]), one) for one in series]
        known = [({**given, "gen_ai.provider.name": "linnet"}, one) for given, one in points if given is not None]
        if known:
            yield _metric(metric, theirs, known, times)


def _metric(
    metric: Metric, name: str, series: list[tuple[dict[str, str], dict[str, Any]]], times: Mapping[str, str]
) -> dict[str, Any]:
    points = [{**times, "attributes": _attributes(labels), **_point(metric, one)} for labels, one in series]
    described = {"name": name, "description": metric.help, "unit": _UNITS[metric.unit]}
    if metric.kind == "gauge":
        return {**described, "gauge": {"dataPoints": points}}
    if metric.kind == "counter":
        sums = {"dataPoints": points, "aggregationTemporality": _CUMULATIVE, "isMonotonic": True}
        return {**described, "sum": sums}
    return {**described, "histogram": {"dataPoints": points, "aggregationTemporality": _CUMULATIVE}}


def _point(metric: Metric, series: Mapping[str, Any]) -> dict[str, Any]:
    if metric.kind != "histogram":
        return {"asDouble": float(series["value"])}
    counts = [str(int(count)) for count in series["buckets"]]
    total = {"count": str(int(series["count"])), "sum": float(series["sum"])}
    return {**total, "bucketCounts": counts, "explicitBounds": list(metric.buckets)}


def _attributes(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in labels.items()]


@dataclasses.dataclass(frozen=True)
class OpenTelemetrySink:
    """A collector that takes snapshots over HTTP.

    Attributes:
        url: of the collector: ``http://host:4318``, with the path ``/v1/metrics`` if it has none.
        headers: further headers, for instance a key.
        service: value of ``service.name``.
        timeout: seconds for connection and answer.
    """

    url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    service: str = "linnet"
    timeout: float = 10.0
    name = "opentelemetry"

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidArgumentError(f"expected the http or https address of a collector, got {self.url!r}")

    def write(self, snapshot: Mapping[str, Any]) -> None:
        """Send a snapshot.

        Raises:
            OSError: the collector cannot be reached, or does not take it.
        """
        parts = urllib.parse.urlsplit(self.url)
        assert parts.hostname is not None
        body = json.dumps(otlp_request(snapshot, self.service), allow_nan=False).encode()
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self.timeout, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout)
        try:
            path = parts.path if parts.path.strip("/") else "/v1/metrics"
            connection.request("POST", path, body, {"Content-Type": "application/json", **self.headers})
            answer = connection.getresponse()
            answer.read(_MOST_ANSWER)
        except http.client.HTTPException as error:
            raise OSError(f"{parts.hostname} answered what is no HTTP: {type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise OSError(f"{parts.hostname} answered {answer.status} to the metrics, expected 200")
